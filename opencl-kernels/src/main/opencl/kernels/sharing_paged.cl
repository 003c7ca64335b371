// sharing_paged.cl - the kernels of sharing.cl over data of the managed heap that may be larger than the device's memory.
// In, Out: the same words at heap addresses, beside each kernel; all arithmetic wraps like Java's.
// Grid: beside each kernel; the global size may be rounded up where a count n is given, any local size.
// Needs: OpenCL C 1.2, hmm.clh (aperture, paged or plain).   Moves: as in sharing.cl.   Oracle: SharingOracle.java
#include "hmm.clh"

#define HMM_STEP(x) ((x) * 6364136223846793005UL + 1442695040888963407UL)   // Knuth's MMIX generator
#define HMM_PAGE_WORDS 512

#ifndef SHARE_RUN
#define SHARE_RUN 1         // words that each work-item takes of a stream: many for a processor, 1 where neighbours are to read neighbours
#endif
#if defined(HMM_PAGE_SHIFT) && SHARE_RUN * 8 > 1 << HMM_PAGE_SHIFT
#error SHARE_RUN takes more than a page
#endif
#define SHARE_FIRST ((ulong)get_global_id(0) * SHARE_RUN)

// Form (a), restartable: out[i] = step(in[i]).   Grid: n / SHARE_RUN.
kernel void share_map(HMM_HEAP, const ulong in, const ulong out, const ulong n) {
    HMM_BEGIN;
    const ulong end = min(SHARE_FIRST + SHARE_RUN, n);
    for (ulong at = SHARE_FIRST, run; at < end; at += run) {
        ulong readable, writable;
        global const ulong *from = HMM_READ_RUN(ulong, in + at * sizeof(ulong), end - at, &readable);
        global ulong *to = HMM_WRITE_RUN(ulong, out + at * sizeof(ulong), end - at, &writable);
        if (!from || !to) {
            return;
        }
        run = min(readable, writable);
        for (ulong i = 0; i < run; i++) {
            to[i] = HMM_STEP(from[i]);
        }
    }
    HMM_END;
}

// Form (b), touch first: data[first + i] = step(data[first + i]). A run lies on two pages at most: nothing of it is written
// before both are there.   Grid: n / SHARE_RUN.
kernel void share_step(HMM_HEAP, const ulong data, const ulong first, const ulong n) {
    HMM_BEGIN;
    if (SHARE_FIRST < n) {
        const ulong all = min((ulong)SHARE_RUN, n - SHARE_FIRST), from = data + (first + SHARE_FIRST) * sizeof(ulong);
        ulong here, rest;
        global ulong *words = HMM_WRITE_RUN(ulong, from, all, &here);
        global ulong *next = here < all ? HMM_WRITE_RUN(ulong, from + here * sizeof(ulong), all - here, &rest) : words;
        if (!words || !next) {
            return;
        }
        for (ulong i = 0; i < here; i++) {
            words[i] = HMM_STEP(words[i]);
        }
        for (ulong i = 0; i < all - here; i++) {
            next[i] = HMM_STEP(next[i]);
        }
    }
    HMM_END;
}

// Form (a): out[i] = step(seed + i).   Grid: n / SHARE_RUN.
kernel void share_fill(HMM_HEAP, const ulong out, const ulong seed, const ulong n) {
    HMM_BEGIN;
    const ulong end = min(SHARE_FIRST + SHARE_RUN, n);
    for (ulong at = SHARE_FIRST, run; at < end; at += run) {
        global ulong *to = HMM_WRITE_RUN(ulong, out + at * sizeof(ulong), end - at, &run);
        if (!to) {
            return;
        }
        for (ulong i = 0; i < run; i++) {
            to[i] = HMM_STEP(seed + at + i);
        }
    }
    HMM_END;
}

// Form (a): sums[k] = sum of the words of page from + k * apart, pages of 4 KiB.   Grid: n, the number of sums.
kernel void share_pages(HMM_HEAP, const ulong data, const ulong sums, const ulong from, const ulong apart, const ulong n) {
    HMM_BEGIN;
    const size_t k = get_global_id(0);
    if (k < n) {
        global ulong *to = HMM_WRITE(ulong, sums + k * sizeof(ulong));
        const ulong page = data + (from + k * apart) * HMM_PAGE_WORDS * sizeof(ulong);
        ulong sum = 0;
        for (ulong at = 0, run; at < HMM_PAGE_WORDS; at += run) {
            global const ulong *words = HMM_READ_RUN(ulong, page + at * sizeof(ulong), HMM_PAGE_WORDS - at, &run);
            if (!words || !to) {
                return;
            }
            for (ulong i = 0; i < run; i++) {
                sum += words[i];
            }
        }
        *to = sum;
    }
    HMM_END;
}

// Form (a): partial[g] = sum of the words g, g + G, g + 2 G, ... of the n.   Grid: G, which partial has room for.
kernel void share_sum(HMM_HEAP, const ulong data, const ulong partial, const ulong n) {
    HMM_BEGIN;
    global ulong *to = HMM_WRITE(ulong, partial + get_global_id(0) * sizeof(ulong));
    bool missing = !to;
    ulong sum = 0;
    hmm_read_cache reads = HMM_NO_PAGE;
    for (ulong i = get_global_id(0); i < n; i += get_global_size(0)) {
        global const ulong *word = HMM_READ_CACHED(ulong, data + i * sizeof(ulong), &reads);
        if (word) {
            sum += *word;
        } else {
            missing = true;                 // the rest is asked for all the same, to come with the same round
        }
    }
    if (missing) {
        return;
    }
    *to = sum;
    HMM_END;
}

// Form (a): total[0] = sum of the n words of partial.   Grid: one work-item.
kernel void share_total(HMM_HEAP, const ulong partial, const ulong total, const ulong n) {
    HMM_BEGIN;
    global ulong *to = HMM_WRITE(ulong, total);
    ulong sum = 0;
    for (ulong at = 0, run; at < n; at += run) {
        global const ulong *words = HMM_READ_RUN(ulong, partial + at * sizeof(ulong), n - at, &run);
        if (!words || !to) {
            return;
        }
        for (ulong i = 0; i < run; i++) {
            sum += words[i];
        }
    }
    if (!to) {
        return;
    }
    *to = sum;
    HMM_END;
}

// Form (a): follows chain, in which each line of 64 bytes begins with the number of the next: end[0] = where one is after
// `steps`.   Grid: one work-item.
kernel void share_chase(HMM_HEAP, const ulong chain, const ulong end, const ulong start, const ulong steps) {
    HMM_BEGIN;
    global ulong *to = HMM_WRITE(ulong, end);
    ulong at = start;
    hmm_read_cache reads = HMM_NO_PAGE;
    for (ulong i = 0; i < steps; i++) {
        global const ulong *line = HMM_READ_CACHED(ulong, chain + at * 64, &reads);
        if (!line || !to) {
            return;
        }
        at = *line;
    }
    if (!to) {
        return;
    }
    *to = at;
    HMM_END;
}
