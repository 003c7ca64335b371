package io.github.hmm4j.device;

import java.lang.foreign.MemorySegment;
import java.util.Locale;

/// A contiguous piece of one device's memory.
///
/// Owns the piece: [#close()] gives it back. Contents are undefined until written.
public interface DeviceMemory extends AutoCloseable {

    long lengthBytes();

    /// The driver's object as native code knows it (`cl_mem`), or 0 where there is none.
    default long nativeHandle() {
        return 0;
    }

    /// Address at which the host may read and write these bytes while no command uses them, or 0 if only copy commands reach them.
    default long hostAddressBytes() {
        return 0;
    }

    /// Copies bytes here and waits for it: for tables and the like, not for pages. No command may use them meanwhile.
    ///
    /// @param bytes off-heap
    /// @throws IllegalStateException if no kernel of the device reads tables
    default void write(long offsetBytes, MemorySegment bytes) {
        throw new IllegalStateException(String.format(Locale.ROOT, "no kernel of this device reads a table, offsetBytes=%d, lengthBytes=%d",
                offsetBytes, bytes.byteSize()));
    }

    /// Copies bytes from here and waits for it. No command may write them meanwhile.
    ///
    /// @param into off-heap
    /// @throws IllegalStateException if no kernel of the device writes any
    default void read(long offsetBytes, MemorySegment into) {
        throw new IllegalStateException(String.format(Locale.ROOT, "no kernel of this device writes a table, offsetBytes=%d, lengthBytes=%d",
                offsetBytes, into.byteSize()));
    }

    /// A window onto part of this memory that a kernel can take as a pointer argument.
    ///
    /// Owns nothing but the window: closing it leaves the memory, closing the memory first is a mistake of the caller.
    ///
    /// @param offsetBytes a multiple of [DeviceInfo#baseAlignmentBytes()]
    /// @throws IllegalArgumentException if the range is misaligned, empty or outside
    DeviceMemory slice(long offsetBytes, long lengthBytes);

    /// Gives the memory back. Nothing in flight may use it any more. Idempotent.
    @Override
    void close();
}
