// paged_access.cl - fills, adds and copies through the device's page table, for the random models. Ints lie in groups of 32, which never cross a page.
#include "hmm.clh"

#define GROUP 32

// Form (a).
kernel void fill_paged(HMM_HEAP, const ulong out, const int start, const uint count) {
    HMM_BEGIN;
    const uint first = get_global_id(0) * GROUP;
    if (first < count) {
        global int *to = HMM_WRITE(int, out + first * sizeof(int));
        if (!to) {
            return;
        }
        for (uint i = 0; i < GROUP; i++) {
            to[i] = start + (int)(first + i);
        }
    }
    HMM_END;
}

// Form (b).
kernel void add_paged(HMM_HEAP, const ulong inout, const int delta, const uint count) {
    HMM_BEGIN;
    const uint first = get_global_id(0) * GROUP;
    if (first < count) {
        global int *at = HMM_WRITE(int, inout + first * sizeof(int));
        if (!at) {
            return;
        }
        for (uint i = 0; i < GROUP; i++) {
            at[i] += delta;
        }
    }
    HMM_END;
}

// Form (a).
kernel void copy_paged(HMM_HEAP, const ulong in, const ulong out, const uint count) {
    HMM_BEGIN;
    const uint first = get_global_id(0) * GROUP;
    if (first < count) {
        global const int *from = HMM_READ(int, in + first * sizeof(int));
        global int *to = HMM_WRITE(int, out + first * sizeof(int));
        if (!from || !to) {
            return;
        }
        for (uint i = 0; i < GROUP; i++) {
            to[i] = from[i];
        }
    }
    HMM_END;
}
