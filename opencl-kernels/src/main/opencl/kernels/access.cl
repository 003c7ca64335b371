// access.cl - the smallest kernels: for conformance tests and for measuring what a launch or a moved page costs.
// In, Out: beside each kernel; n and count are in elements.   Oracle: AccessOracle.java
// Grid: one work-item per element (the global size may be rounded up, any local size), but for sum_ints and empty3.
// Needs: OpenCL C 1.2.   Moves: 4 bytes per int read or written; touch_pages one byte each way per page.
#ifndef HMM_WG
#define HMM_WG 128            // work-items per group of sum_ints; power of two
#endif

// Does nothing with three arguments: what a launch costs when everything is where it should be. Grid: one work-item.
kernel void empty3(global int *a, global int *b, global const int *c) {
}

// out[i] = in[i]
kernel void copy_ints(global const int *in, global int *out, const uint n) {
    const size_t i = get_global_id(0);
    if (i < n) {
        out[i] = in[i];
    }
}

// out[i] = start + step * i, wrapping like Java's int
kernel void fill_ramp(global int *out, const int start, const int step, const uint n) {
    const size_t i = get_global_id(0);
    if (i < n) {
        out[i] = (int)((uint)start + (uint)step * (uint)i);
    }
}

// inout[i] += delta, wrapping
kernel void add_ints(global int *inout, const int delta, const uint n) {
    const size_t i = get_global_id(0);
    if (i < n) {
        inout[i] = (int)((uint)inout[i] + (uint)delta);
    }
}

// out[g] = what work-group g summed; the sum over all groups is the sum of in. Never overflows.
// Grid: local size HMM_WG, any number of groups (out has one entry per group).
kernel __attribute__((reqd_work_group_size(HMM_WG, 1, 1)))
void sum_ints(global const int *in, global long *out, const uint n) {
    local long partial[HMM_WG];
    const size_t me = get_local_id(0);
    long sum = 0;
    for (size_t i = get_global_id(0); i < n; i += get_global_size(0)) {
        sum += in[i];
    }
    partial[me] = sum;
    for (uint half_size = HMM_WG / 2; half_size > 0; half_size /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (me < half_size) {
            partial[me] += partial[me + half_size];
        }
    }
    if (me == 0) {
        out[get_group_id(0)] = partial[0];
    }
}

// buf[i * stride] += add for i in 0 .. count - 1, wrapping: writes one byte of every page when stride is the page size
kernel void touch_pages(global uchar *buf, const ulong stride, const uint count, const uchar add) {
    const size_t i = get_global_id(0);
    if (i < count) {
        buf[i * stride] += add;
    }
}
