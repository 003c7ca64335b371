package io.github.hmm4j.space;

import java.lang.foreign.MemorySegment;

/// Zero-filled memory that is reserved at once and paid for by the operating system page as it is touched.
///
/// A page table for a terabyte must open in no time; an [java.lang.foreign.Arena] would write zeros over all of it. Owns its mapping. The segment must not be used after [#close()].
public final class LazyTable implements AutoCloseable {

    private final MemorySegment segment;
    private boolean closed;

    public LazyTable(long lengthBytes) {
        if (lengthBytes <= 0) {
            throw new IllegalArgumentException("lengthBytes=" + lengthBytes + ", must be positive");
        }
        int flags = SystemCalls.MAP_PRIVATE | SystemCalls.MAP_ANONYMOUS | SystemCalls.MAP_NORESERVE;
        long address = SystemCalls.mmap(0, lengthBytes, SystemCalls.PROT_READ_WRITE, flags, -1, 0);
        try {
            segment = MemorySegment.ofAddress(address).reinterpret(lengthBytes);
        } catch (OutOfMemoryError e) {
            SystemCalls.munmap(address, lengthBytes);
            throw e;
        }
    }

    public MemorySegment segment() {
        return segment;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            SystemCalls.munmap(segment.address(), segment.byteSize());
        }
    }
}
