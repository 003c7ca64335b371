// paged.cl - kernels over data of the managed heap that may be larger than the device's memory, for each legal form.
// In: heap addresses (ulong) of arrays or lists, beside plain arrays that are there as a whole.
// Out: arrays in the heap (scale_*, count_values, sum_blocks), or plain ones (all others).
// Grid: one-dimensional; see each kernel.
// Needs: OpenCL C 1.2, hmm.clh (aperture, paged or plain).
// Moves: what the kernels read and write, once; in paged form an entry of the table for each page or object beside it.
// Oracle: PagedOracle.java
#include "hmm.clh"

#ifndef PAGED_BLOCK
#define PAGED_BLOCK 64      // elements that are looked at, and then taken: 16 are too few for vectors and fetching ahead
#endif

// Form (a), restartable: out[r * width ...] = table[rows[r] * width ...]. One work-item for each row, any local size.
kernel void gather_rows(HMM_HEAP_CONST, const ulong table, global const uint *rows, global float *out,
                        const uint width) {
    HMM_BEGIN;
    const size_t r = get_global_id(0);
    const ulong row = table + (ulong)rows[r] * width * sizeof(float);
    for (ulong done = 0, run; done < width; done += run) {
        global const float *in = HMM_READ_RUN(float, row + done * sizeof(float), width - done, &run);
        if (!in) {
            return;
        }
        for (ulong i = 0; i < run; i++) {
            out[r * width + done + i] = in[i];
        }
    }
    HMM_END;
}

// Form (a), restartable: out[i] = table[index[i]], here and there in the table: a look at each of a block first, then all
// are taken; if any is not ready, one by one. Each work-item takes `chunk` elements, any local size.
kernel void gather_values(HMM_HEAP_CONST, const ulong table, global const uint *index, global float *out,
                          const ulong count, const uint chunk) {
    HMM_BEGIN;
    const ulong first = (ulong)get_global_id(0) * chunk;
    const ulong end = min(first + chunk, count);
    bool missing = false;
    for (ulong at = first, stop; at < end; at = stop) {
        stop = min(at + PAGED_BLOCK, end);
        global const float *values[PAGED_BLOCK];
        uint ready = 1;
        for (ulong i = at; i < stop; i++) {
            values[i - at] = HMM_PEEK(float, table + (ulong)index[i] * sizeof(float), &ready);
        }
        if (ready) {
            for (ulong i = at; i < stop; i++) {
                out[i] = *values[i - at];
            }
            continue;
        }
        for (ulong i = at; i < stop; i++) {
            global const float *value = HMM_READ(float, table + (ulong)index[i] * sizeof(float));
            if (value) {
                out[i] = *value;
            } else {
                missing = true;             // the rest is asked for all the same, to come with the same round
            }
        }
    }
    if (missing) {
        return;
    }
    HMM_END;
}

// Form (a), restartable because in and out do not overlap: out[i] = a * in[i] + b, hoisted: each work-item takes
// `chunk` elements, and one look at the table for each page of them.
kernel void scale_runs(HMM_HEAP, const ulong in, const ulong out, const ulong count, const uint chunk, const float a,
                       const float b) {
    HMM_BEGIN;
    const ulong first = (ulong)get_global_id(0) * chunk;
    const ulong end = min(first + chunk, count);
    for (ulong at = first, run; at < end; at += run) {
        ulong readable, writable;
        global const float *from = HMM_READ_RUN(float, in + at * sizeof(float), end - at, &readable);
        global float *to = HMM_WRITE_RUN(float, out + at * sizeof(float), end - at, &writable);
        if (!from || !to) {
            return;
        }
        run = min(readable, writable);
        for (ulong i = 0; i < run; i++) {
            to[i] = a * from[i] + b;
        }
    }
    HMM_END;
}

// The same, element by element with the last page kept: what a kernel takes whose addresses are not runs. Blocks that
// lie on the pages that are kept go without a look at the table, all others one by one.
kernel void scale_cached(HMM_HEAP, const ulong in, const ulong out, const ulong count, const uint chunk, const float a,
                         const float b) {
    HMM_BEGIN;
    const ulong first = (ulong)get_global_id(0) * chunk;
    const ulong end = min(first + chunk, count);
    hmm_read_cache reads = HMM_NO_PAGE;
    hmm_write_cache writes = HMM_NO_PAGE;
    for (ulong at = first, stop; at < end; at = stop) {
        stop = min(at + PAGED_BLOCK, end);
        bool kept = true;
        for (ulong i = at; i < stop; i++) {
            kept &= HMM_KEPT(float, in + i * sizeof(float), &reads) & HMM_KEPT(float, out + i * sizeof(float), &writes);
        }
        if (kept) {
            for (ulong i = at; i < stop; i++) {
                global const float *from = HMM_READ_KEPT(float, in + i * sizeof(float), &reads);
                *HMM_WRITE_KEPT(float, out + i * sizeof(float), &writes) = a * *from + b;
            }
            continue;
        }
        for (ulong i = at; i < stop; i++) {
            global const float *from = HMM_READ_CACHED(float, in + i * sizeof(float), &reads);
            global float *to = HMM_WRITE_CACHED(float, out + i * sizeof(float), &writes);
            if (!from || !to) {
                return;
            }
            *to = a * *from + b;
        }
    }
    HMM_END;
}

// Form (a), restartable: sums[i] = sum of amount * value over the rows of work-item i whose key is in `slots`. A row is
// {key, amount}, a slot {key, value} or {-1, ...} if it is empty, which one at least is; mask + 1 slots, a power of two, a
// key at the first free one from key * 2654435761 on. Each work-item takes `chunk` rows; the global size may be rounded up,
// any local size.
kernel void join_sums(HMM_HEAP_CONST, const ulong rows, global const int2 *slots, const uint mask, global long *sums,
                      const ulong count, const uint chunk) {
    HMM_BEGIN;
    const ulong first = (ulong)get_global_id(0) * chunk;
    const ulong end = min(first + chunk, count);
    long sum = 0;
    for (ulong at = first, run; at < end; at += run) {
        global const int2 *row = HMM_READ_RUN(int2, rows + at * sizeof(int2), end - at, &run);
        if (!row) {
            return;
        }
        for (ulong i = 0; i < run; i++) {
            const int2 probe = row[i];
            for (uint slot = (uint)probe.x * 2654435761u & mask; slots[slot].x != -1; slot = (slot + 1) & mask) {
                if (slots[slot].x == probe.x) {
                    sum += (long)probe.y * slots[slot].y;
                    break;
                }
            }
        }
    }
    if (first < count) {
        sums[get_global_id(0)] = sum;
    }
    HMM_END;
}

// Form (a), restartable, since to set a depth again changes nothing: one level of a breadth-first search. Vertex u has the
// neighbours col[row[u] .. row[u + 1]), both arrays in the heap; depth is -1 where nobody has been. Takes `count` vertices
// from `first` on, one work-item each; the global size may be rounded up, any local size.
kernel void bfs_level_paged(HMM_HEAP_CONST, const ulong row, const ulong col, global int *depth, global int *changed,
                            const int level, const uint first, const uint count) {
    HMM_BEGIN;
    const ulong u = first + get_global_id(0);
    if (get_global_id(0) < count && atomic_or(&depth[u], 0) == level) { // or with 0: an atomic read, as others set depths
        global const long *begin = HMM_READ(long, row + u * sizeof(long));
        global const long *end = HMM_READ(long, row + (u + 1) * sizeof(long));
        if (!begin || !end) {
            return;
        }
        bool found = false;
        bool missing = false;
        for (ulong e = (ulong)*begin, run; e < (ulong)*end; e += run) {
            global const int *next = HMM_READ_RUN(int, col + e * sizeof(int), (ulong)*end - e, &run);
            if (!next) {
                missing = true;             // the rest is asked for all the same, to come with the same round
                continue;
            }
            for (ulong i = 0; i < run; i++) {
                found |= atomic_cmpxchg(&depth[next[i]], -1, level + 1) == -1;
            }
        }
        if (found) {
            atomic_or(changed, 1);          // now: those that are set already do not say so again
        }
        if (missing) {
            return;
        }
    }
    HMM_END;
}

// Form (b), touch first: counts[values[i]]++, both in the heap. One work-item for each value, any local size.
kernel void count_values(HMM_HEAP, const ulong values, const ulong counts, const ulong count) {
    HMM_BEGIN;
    const size_t i = get_global_id(0);
    if (i < count) {
        global const uint *value = HMM_READ(uint, values + i * sizeof(uint));
        if (!value) {
            return;
        }
        volatile global uint *counter = HMM_WRITE(uint, counts + *value * sizeof(uint));
        if (!counter) {
            return;
        }
        atomic_inc(counter);
    }
    HMM_END;
}

// Form (c), group by group: adds the sum of each work-group's values to its element of sums, both in the heap. A group
// has a power of two of work-items; `sum` has one long for each, and one more holds what the group agrees on.
kernel void sum_blocks(HMM_HEAP, const ulong values, const ulong sums, const ulong count, local long *sum) {
    HMM_BEGIN_GROUP;
    local int missing;
    const size_t i = get_global_id(0);
    const size_t me = get_local_id(0);
    global const int *value = i < count ? HMM_READ(int, values + i * sizeof(int)) : 0;
    global long *total = me == 0 ? HMM_WRITE(long, sums + get_group_id(0) * sizeof(long)) : 0;
    if (HMM_ANY((i < count && !value) || (me == 0 && !total), &missing)) {
        return;
    }
    sum[me] = i < count ? *value : 0;
    for (size_t step = get_local_size(0) / 2; step > 0; step /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (me < step) {
            sum[me] += sum[me + step];
        }
    }
    if (me == 0) {
        *total += sum[0];
    }
    HMM_END;
}

// A list of heap addresses, each item {next, value}: sums[l] = sum of the values of lists[l]. One work-item for each
// list, any local size. An item is 16 bytes at a multiple of 16.
struct hmm_list_item {
    ulong next;
    long value;
};

kernel void sum_lists(HMM_HEAP_CONST, global const ulong *lists, global long *sums) {
    HMM_BEGIN;
    long sum = 0;
    for (ulong at = lists[get_global_id(0)]; at != 0; ) {
        global const struct hmm_list_item *item = HMM_READ(struct hmm_list_item, at);
        if (!item) {
            return;
        }
        sum += item->value;
        at = item->next;
    }
    sums[get_global_id(0)] = sum;
    HMM_END;
}
