package io.github.hmm4j.device;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/// Host pages for a copy engine, as the alias mapping of a heap would be.
public final class HostRange implements AutoCloseable {

    public static final int PAGE = 4096;
    private static final long BLOCK = 2 << 20;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment bytes;

    public HostRange(long lengthBytes) {
        bytes = arena.allocate(lengthBytes, BLOCK);
    }

    public MemorySegment bytes() {
        return bytes;
    }

    public long addressBytes() {
        return bytes.address();
    }

    public long lengthBytes() {
        return bytes.byteSize();
    }

    /// A run from `hostPage` of this range to `devicePage` of `memory`, or the other way.
    public CopyRun run(long hostPage, DeviceMemory memory, long devicePage, long pages) {
        return new CopyRun(addressBytes() + hostPage * PAGE, memory, devicePage * PAGE, pages * PAGE);
    }

    public MemorySegment pages(long firstPage, long pages) {
        return bytes.asSlice(firstPage * PAGE, pages * PAGE);
    }

    public void fillRandomly(SplittableRandom random) {
        for (long i = 0; i < bytes.byteSize() / Long.BYTES; i++) {
            bytes.setAtIndex(ValueLayout.JAVA_LONG, i, random.nextLong());
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
