// sharing.cl - what a device does with data it shares with the host, for comparing ways of sharing.
// In, Out: words of 8 bytes, beside each kernel; all arithmetic wraps like Java's.   Oracle: SharingOracle.java
// Grid: beside each kernel; the global size may be rounded up where a count n is given, any local size.
// Needs: OpenCL C 1.2.   Moves: beside each kernel.
#define HMM_STEP(x) ((x) * 6364136223846793005UL + 1442695040888963407UL)   // Knuth's MMIX generator
#define HMM_PAGE_WORDS 512

// out[i] = step(in[i]).   Grid: n.   Moves: 8 bytes in, 8 bytes out for each.
kernel void share_map(global const ulong *in, global ulong *out, const ulong n) {
    const size_t i = get_global_id(0);
    if (i < n) {
        out[i] = HMM_STEP(in[i]);
    }
}

// data[first + i] = step(data[first + i]).   Grid: n.   Moves: 8 bytes both ways for each.
kernel void share_step(global ulong *data, const ulong first, const ulong n) {
    const size_t i = get_global_id(0);
    if (i < n) {
        data[first + i] = HMM_STEP(data[first + i]);
    }
}

// out[i] = step(seed + i).   Grid: n.   Moves: 8 bytes out for each.
kernel void share_fill(global ulong *out, const ulong seed, const ulong n) {
    const size_t i = get_global_id(0);
    if (i < n) {
        out[i] = HMM_STEP(seed + i);
    }
}

// sums[k] = sum of the words of page from + k * apart, pages of 4 KiB.   Grid: n, the number of sums.   Moves: 4 KiB in for each.
kernel void share_pages(global const ulong *data, global ulong *sums, const ulong from, const ulong apart, const ulong n) {
    const size_t k = get_global_id(0);
    if (k < n) {
        global const ulong *page = data + (from + k * apart) * HMM_PAGE_WORDS;
        ulong sum = 0;
        for (uint i = 0; i < HMM_PAGE_WORDS; i++) {
            sum += page[i];
        }
        sums[k] = sum;
    }
}

// partial[g] = sum of the words g, g + G, g + 2 G, ... of the n.   Grid: G, which partial has room for.   Moves: 8 n bytes in.
kernel void share_sum(global const ulong *data, global ulong *partial, const ulong n) {
    ulong sum = 0;
    for (ulong i = get_global_id(0); i < n; i += get_global_size(0)) {
        sum += data[i];
    }
    partial[get_global_id(0)] = sum;
}

// total[0] = sum of the n words of partial.   Grid: one work-item.   Moves: 8 n bytes in, 8 bytes out.
kernel void share_total(global const ulong *partial, global ulong *total, const ulong n) {
    ulong sum = 0;
    for (ulong i = 0; i < n; i++) {
        sum += partial[i];
    }
    total[0] = sum;
}

// Follows chain, in which each line of 64 bytes begins with the number of the next: end[0] = where one is after `steps`.
// Grid: one work-item.   Moves: one line in for each step.
kernel void share_chase(global const ulong *chain, global ulong *end, const ulong start, const ulong steps) {
    ulong at = start;
    for (ulong i = 0; i < steps; i++) {
        at = chain[at * 8];
    }
    end[0] = at;
}
