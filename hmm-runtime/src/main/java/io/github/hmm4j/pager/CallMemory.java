package io.github.hmm4j.pager;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/// Memory for what one native call is given, zeros, freed together: cut from one piece as far as that reaches, since each allocation of its own takes longer than the rest of what the call costs in Java.
///
/// Used by one thread.
final class CallMemory implements SegmentAllocator, AutoCloseable {

    private static final long PIECE_BYTES = 1024; // the launch of a kernel with a dozen arguments

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment piece = arena.allocate(PIECE_BYTES, Long.BYTES);
    private long used;

    @Override
    public MemorySegment allocate(long byteSize, long byteAlignment) {
        long next = used + Math.ceilDiv(byteSize, (long) Long.BYTES) * Long.BYTES;
        if (next > PIECE_BYTES || byteAlignment > Long.BYTES) {
            return arena.allocate(byteSize, byteAlignment);
        }
        MemorySegment part = piece.asSlice(used, byteSize);
        used = next;
        return part;
    }

    @Override
    public void close() {
        arena.close();
    }
}
