// memory.cl - what memcpy and memset do, for the runtime: bytes that are on a device are copied and filled there.
// In, Out: beside each kernel; offsets and count are in bytes, at any alignment.   Oracle: MemoryTest.java
// Grid: one work-item per 16 bytes (the global size may be rounded up, any local size).
// Needs: OpenCL C 1.2.   Moves: each byte read once and written once.
#define BLOCK 16

// to[to_offset + i] = from[from_offset + i] for i < count; the two ranges share no byte
kernel void copy_bytes(global uchar *to, const ulong to_offset, global const uchar *from, const ulong from_offset,
                       const ulong count) {
    const ulong first = (ulong)get_global_id(0) * BLOCK;
    if (first + BLOCK <= count) {
        vstore16(vload16(0, from + from_offset + first), 0, to + to_offset + first);
    } else {
        for (ulong i = first; i < count; i++) {
            to[to_offset + i] = from[from_offset + i];
        }
    }
}

// to[to_offset + i] = value for i < count
kernel void fill_bytes(global uchar *to, const ulong to_offset, const uchar value, const ulong count) {
    const ulong first = (ulong)get_global_id(0) * BLOCK;
    if (first + BLOCK <= count) {
        vstore16((uchar16)(value), 0, to + to_offset + first);
    } else {
        for (ulong i = first; i < count; i++) {
            to[to_offset + i] = value;
        }
    }
}
