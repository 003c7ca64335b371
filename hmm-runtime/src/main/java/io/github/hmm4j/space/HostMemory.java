package io.github.hmm4j.space;

import java.lang.foreign.MemorySegment;

/// The host side of every page: one file in memory, and two places in the address space that stand for it.
///
/// - **app** is what the program's pointers point to. Nothing is mapped there in checked access, so a stray touch can never read stale bytes.
/// - **alias** is the runtime's own mapping of the file, readable and writable at all times, and the only one ever given to a driver or to I/O.
///
/// Both start at a multiple of 2 MiB. Memory is paid for when it is first written, and given back by [#release]; [#retire] keeps a little of it for the next allocation.
public final class HostMemory implements AutoCloseable {

    private static final int ALIGNMENT_BYTES = PageSize.MAX_BYTES;
    private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[64 << 10]).asReadOnly();

    private final long lengthBytes;
    private final int fd;
    private final Reservation app;
    private final Reservation alias;
    private final MemorySegment aliasSegment;
    private final SparePages spare = new SparePages(this::release);
    private boolean closed;

    HostMemory(long lengthBytes) {
        this.lengthBytes = lengthBytes;
        Parts parts = new Parts();
        try {
            int file = SystemCalls.memfd("hmm-heap", lengthBytes);
            parts.add(() -> SystemCalls.close(file));
            fd = file;
            app = parts.add(Reservation.of(lengthBytes));
            alias = parts.add(Reservation.of(lengthBytes));
            SystemCalls.mmap(alias.startBytes, lengthBytes, SystemCalls.PROT_READ_WRITE,
                    SystemCalls.MAP_SHARED | SystemCalls.MAP_FIXED | SystemCalls.MAP_NORESERVE, fd, 0);
            SystemCalls.dontFork(alias.startBytes, lengthBytes);
            aliasSegment = MemorySegment.ofAddress(alias.startBytes).reinterpret(lengthBytes);
        } catch (RuntimeException | Error e) {
            parts.closeAfter(e);
            throw e;
        }
    }

    /// First address of the program's pointers.
    public long appAddressBytes() {
        return app.startBytes;
    }

    /// The runtime's own mapping; offset 0 is the same byte as the first address of `app`.
    public MemorySegment alias() {
        return aliasSegment;
    }

    public long lengthBytes() {
        return lengthBytes;
    }

    /// Descriptor of the file, for native code that maps it at [#appAddressBytes()].
    public int descriptor() {
        return fd;
    }

    /// Gives the memory of these offsets back to the operating system; they read as zeros afterwards. Page-aligned.
    public void release(long offsetBytes, long releasedBytes) {
        if (releasedBytes > 0) {
            SystemCalls.punchHole(fd, offsetBytes, releasedBytes);
        }
    }

    /// Like [#release], for offsets that were freed and written to before: their memory may be kept, zeroed, for whoever allocates them next.
    public synchronized void retire(long offsetBytes, long retiredBytes) {
        if (!SparePages.fits(retiredBytes)) {
            release(offsetBytes, retiredBytes);
            return;
        }
        zero(offsetBytes, retiredBytes);
        try {
            spare.add(offsetBytes, retiredBytes);
        } catch (OutOfMemoryError e) {
            return; // nobody knows that there is memory to give back; who allocates it finds zeros
        }
    }

    /// Makes these offsets read as zeros by writing them. Takes nothing from the Java heap.
    public void zero(long offsetBytes, long zeroedBytes) {
        for (long done = 0; done < zeroedBytes; done += ZEROS.byteSize()) {
            MemorySegment.copy(ZEROS, 0, aliasSegment, offsetBytes + done, Math.min(ZEROS.byteSize(), zeroedBytes - done));
        }
    }

    /// These offsets are allocated again.
    synchronized void reuse(long offsetBytes, long lengthBytes) {
        spare.remove(offsetBytes, lengthBytes);
    }

    /// Bytes of freed memory that are kept at the moment.
    public synchronized long spareBytes() {
        return spare.totalBytes();
    }

    /// Nobody may touch either mapping afterwards.
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            app.close();
            alias.close();
            SystemCalls.close(fd);
        }
    }

    /// Address space that belongs to us but to which nothing is mapped.
    private record Reservation(long mappedBytes, long mappedLengthBytes, long startBytes) implements AutoCloseable {

        static Reservation of(long lengthBytes) {
            long mappedLength = lengthBytes + ALIGNMENT_BYTES;
            int flags = SystemCalls.MAP_PRIVATE | SystemCalls.MAP_ANONYMOUS | SystemCalls.MAP_NORESERVE;
            long mapped = SystemCalls.mmap(0, mappedLength, SystemCalls.PROT_NONE, flags, -1, 0);
            return new Reservation(mapped, mappedLength, (mapped + ALIGNMENT_BYTES - 1) & -ALIGNMENT_BYTES);
        }

        @Override
        public void close() {
            SystemCalls.munmap(mappedBytes, mappedLengthBytes);
        }
    }
}
