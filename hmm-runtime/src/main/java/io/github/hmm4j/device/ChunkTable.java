package io.github.hmm4j.device;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.space.LazyTable;
import io.github.hmm4j.space.Parts;

/// Where frames lie, off-heap, for native code that copies pages while Java threads are stopped: 12 bytes for each frame that was ever used, 8 for each chunk.
///
/// Written before a frame of the chunk is given to a page, and not before the last one was taken away: so whoever finds a frame through a page finds its memory here.
final class ChunkTable implements AutoCloseable {

    private final LazyTable memoryOfFrame; // the driver's object
    private final LazyTable chunkOfFrame; // first frame of the chunk
    private final LazyTable hostOfChunk; // by first frame

    ChunkTable(int frames) {
        int entries = Math.max(1, frames);
        Parts parts = new Parts();
        try {
            memoryOfFrame = parts.add(new LazyTable((long) entries * Long.BYTES));
            chunkOfFrame = parts.add(new LazyTable((long) entries * Integer.BYTES));
            hostOfChunk = parts.add(new LazyTable((long) entries * Long.BYTES));
        } catch (RuntimeException | Error e) {
            parts.closeAfter(e);
            throw e;
        }
    }

    void add(FrameChunk chunk) {
        long handle = chunk.memory.nativeHandle();
        if (handle == 0) {
            return; // no native code drives this device
        }
        hostOfChunk.segment().set(JAVA_LONG, (long) chunk.first * Long.BYTES, chunk.memory.hostAddressBytes());
        for (int frame = chunk.first; frame < chunk.end(); frame++) {
            memoryOfFrame.segment().set(JAVA_LONG, (long) frame * Long.BYTES, handle);
            chunkOfFrame.segment().set(JAVA_INT, (long) frame * Integer.BYTES, chunk.first);
        }
    }

    FramePool.NativeTables addresses() {
        return new FramePool.NativeTables(
                memoryOfFrame.segment().address(), chunkOfFrame.segment().address(), hostOfChunk.segment().address());
    }

    @Override
    public void close() {
        memoryOfFrame.close();
        chunkOfFrame.close();
        hostOfChunk.close();
    }
}
