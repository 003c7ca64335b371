// paged.cl - kernels over data of the managed heap that may be larger than the device's memory, for each legal form.
// In: heap addresses (ulong) of arrays or lists, beside plain arrays that are there as a whole.
// Out: arrays in the heap (scale_*, count_values, sum_blocks), or plain ones (gather_rows, sum_lists).
// Grid: one-dimensional; see each kernel.
// Needs: OpenCL C 1.2, hmm.clh (aperture, paged or plain).
// Moves: what the kernels read and write, once; in paged form an entry of the table for each page or object beside it.
// Oracle: PagedOracle.java
#include "hmm.clh"

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

// Form (a), restartable: out[i] = table[index[i]], here and there in the table: first a look at all of them, then all
// without a further one; if any is not ready, one by one. Each work-item takes `chunk` elements, any local size.
kernel void gather_values(HMM_HEAP_CONST, const ulong table, global const uint *index, global float *out,
                          const ulong count, const uint chunk) {
    HMM_BEGIN;
    const ulong first = (ulong)get_global_id(0) * chunk;
    const ulong end = min(first + chunk, count);
    ulong ready = first;
    while (ready < end && HMM_READY(float, table + (ulong)index[ready] * sizeof(float))) {
        ready++;
    }
    if (ready == end) {
        for (ulong i = first; i < end; i++) {
            out[i] = *HMM_READ_READY(float, table + (ulong)index[i] * sizeof(float));
        }
    } else {
        bool missing = false;
        for (ulong i = first; i < end; i++) {
            global const float *value = HMM_READ(float, table + (ulong)index[i] * sizeof(float));
            if (value) {
                out[i] = *value;
            } else {
                missing = true;             // the rest is asked for all the same, to come with the same round
            }
        }
        if (missing) {
            return;
        }
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

// The same, element by element with the last page kept: what a kernel takes whose addresses are not runs.
kernel void scale_cached(HMM_HEAP, const ulong in, const ulong out, const ulong count, const uint chunk, const float a,
                         const float b) {
    HMM_BEGIN;
    const ulong first = (ulong)get_global_id(0) * chunk;
    const ulong end = min(first + chunk, count);
    hmm_cache reads = HMM_NO_PAGE;
    hmm_cache writes = HMM_NO_PAGE;
    for (ulong i = first; i < end; i++) {
        global const float *from = HMM_READ_CACHED(float, in + i * sizeof(float), &reads);
        global float *to = HMM_WRITE_CACHED(float, out + i * sizeof(float), &writes);
        if (!from || !to) {
            return;
        }
        *to = a * *from + b;
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
