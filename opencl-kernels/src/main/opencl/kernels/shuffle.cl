// shuffle.cl - bytes of equal weight side by side: what compressors of numbers want, and back again.
// In: values, n * size bytes: n elements of size bytes each.   Out: planes, as many; byte b of element i is planes[b * n + i].
//     unshuffle_bytes the other way round. In and out must not overlap.
// Grid: one work-item per element, rounded up as you like, any local size.
// Needs: OpenCL C 1.2.   Moves: n * size bytes in, as many out.   Oracle: ShuffleOracle.java

kernel void shuffle_bytes(global const uchar *values, global uchar *planes, const uint size, const uint n) {
    const size_t i = get_global_id(0);
    if (i < n) {
        for (uint b = 0; b < size; b++) {
            planes[(size_t)b * n + i] = values[i * size + b];
        }
    }
}

kernel void unshuffle_bytes(global const uchar *planes, global uchar *values, const uint size, const uint n) {
    const size_t i = get_global_id(0);
    if (i < n) {
        for (uint b = 0; b < size; b++) {
            values[i * size + b] = planes[(size_t)b * n + i];
        }
    }
}
