// take.cl - objects of one type through hmm.clh, in each way in which it can be asked for. For PagedTypesTest, which says what OBJECT is, and that it is LANES numbers of type LANE.
#include "hmm.clh"

#ifndef OBJECT
#define OBJECT int
#define LANE int
#define LANES 1
#endif
#ifdef WITH_DOUBLE
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif

#define BYTES sizeof(OBJECT)
#define CHANGED(x) ((x) * (OBJECT)(3) + (OBJECT)(5))
#define LANE_CHANGED(x) ((x) * (LANE)(3) + (LANE)(5))

// out is five arrays of `count` objects, each CHANGED(in[i]), one behind the other: asked for one by one, as runs, with the page kept, as a block on it, and peeked at.
// Behind them, at out_lanes, the lanes from in_lanes on, in pieces as large as an object: these lie over the edges of pages. A chunk for each work-item.
kernel void take(HMM_HEAP, const ulong in, const ulong out, const ulong in_lanes, const ulong out_lanes, const ulong count, const uint chunk) {
    HMM_BEGIN;
    const ulong first = (ulong)get_global_id(0) * chunk;
    const ulong end = min(first + chunk, count);
    ulong to_way = out;
    for (ulong i = first; i < end; i++) {
        global const OBJECT *from = HMM_READ(OBJECT, in + i * BYTES);
        global OBJECT *to = HMM_WRITE(OBJECT, to_way + i * BYTES);
        if (!from || !to) {
            return;
        }
        *to = CHANGED(*from);
    }
    to_way += count * BYTES;
    for (ulong at = first, run; at < end; at += run) {
        ulong readable, writable;
        global const OBJECT *from = HMM_READ_RUN(OBJECT, in + at * BYTES, end - at, &readable);
        global OBJECT *to = HMM_WRITE_RUN(OBJECT, to_way + at * BYTES, end - at, &writable);
        if (!from || !to) {
            return;
        }
        run = min(readable, writable);
        for (ulong i = 0; i < run; i++) {
            to[i] = CHANGED(from[i]);
        }
    }
    to_way += count * BYTES;
    hmm_read_cache reads = HMM_NO_PAGE;
    hmm_write_cache writes = HMM_NO_PAGE;
    for (ulong i = first; i < end; i++) {
        global const OBJECT *from = HMM_READ_CACHED(OBJECT, in + i * BYTES, &reads);
        global OBJECT *to = HMM_WRITE_CACHED(OBJECT, to_way + i * BYTES, &writes);
        if (!from || !to) {
            return;
        }
        *to = CHANGED(*from);
    }
    to_way += count * BYTES;
    for (ulong i = first; i < end; i++) {
        if (HMM_KEPT(OBJECT, in + i * BYTES, &reads) && HMM_KEPT(OBJECT, to_way + i * BYTES, &writes)) {
            *HMM_WRITE_KEPT(OBJECT, to_way + i * BYTES, &writes) = CHANGED(*HMM_READ_KEPT(OBJECT, in + i * BYTES, &reads));
            continue;
        }
        global const OBJECT *from = HMM_READ_CACHED(OBJECT, in + i * BYTES, &reads);
        global OBJECT *to = HMM_WRITE_CACHED(OBJECT, to_way + i * BYTES, &writes);
        if (!from || !to) {
            return;
        }
        *to = CHANGED(*from);
    }
    to_way += count * BYTES;
    for (ulong i = first; i < end; i++) {
        uint ready = 1;
        global const OBJECT *from = HMM_PEEK(OBJECT, in + i * BYTES, &ready);
        global OBJECT *to = HMM_WRITE(OBJECT, to_way + i * BYTES);
        from = ready ? from : HMM_READY(OBJECT, in + i * BYTES) ? HMM_READ_READY(OBJECT, in + i * BYTES) : HMM_READ(OBJECT, in + i * BYTES);
        if (!from || !to) {
            return;
        }
        *to = CHANGED(*from);
    }
    for (ulong i = first; i < end; i++) {
        for (ulong done = 0, run; done < LANES; done += run) {
            const ulong lane = (i * LANES + done) * sizeof(LANE);
            ulong readable, writable;
            global const LANE *from = HMM_READ_RUN(LANE, in_lanes + lane, LANES - done, &readable);
            global LANE *to = HMM_WRITE_RUN(LANE, out_lanes + lane, LANES - done, &writable);
            if (!from || !to) {
                return;
            }
            run = min(readable, writable);
            for (ulong k = 0; k < run; k++) {
                to[k] = LANE_CHANGED(from[k]);
            }
        }
    }
    HMM_END;
}
