package io.github.hmm4j.space;

import java.lang.foreign.MemorySegment;

/// Zero-filled memory that is reserved at once and paid for by the operating system page as it is touched.
///
/// A page table for a terabyte must open in no time; an [java.lang.foreign.Arena] would write zeros over all of it. Owns its mapping. The segment must not be used after [#close()].
public final class LazyTable implements AutoCloseable {

    private final MemorySegment segment;
    private boolean closed;

    public LazyTable(long lengthBytes) {
        this(lengthBytes, false);
    }

    /// The same for memory of which most will be used: in huge pages, where the kernel has them. The first touch of each
    /// then takes 2 MiB, which costs a fraction of what 512 touches do.
    public static LazyTable inHugePages(long lengthBytes) {
        return new LazyTable(lengthBytes, lengthBytes >= PageSize.MAX_BYTES);
    }

    private LazyTable(long lengthBytes, boolean inHugePages) {
        if (lengthBytes <= 0) {
            throw new IllegalArgumentException("lengthBytes=" + lengthBytes + ", must be positive");
        }
        int flags = SystemCalls.MAP_PRIVATE | SystemCalls.MAP_ANONYMOUS | SystemCalls.MAP_NORESERVE;
        long address = SystemCalls.mmap(0, lengthBytes, SystemCalls.PROT_READ_WRITE, flags, -1, 0);
        try {
            if (inHugePages) {
                SystemCalls.wishForHugePages(address, lengthBytes);
            }
            segment = MemorySegment.ofAddress(address).reinterpret(lengthBytes);
        } catch (RuntimeException | Error e) {
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
