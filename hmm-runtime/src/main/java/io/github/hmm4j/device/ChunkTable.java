package io.github.hmm4j.device;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.space.LazyTable;
import io.github.hmm4j.space.Parts;
import java.lang.invoke.VarHandle;

/// Where frames lie, off-heap, for native code that copies pages while Java threads are stopped: 12 bytes for each 64 frames, 16 for each chunk.
///
/// Written before a frame of the chunk is given to a page, and not before the last one was taken away: so whoever finds a frame through a page finds its memory here. Other chunks may come and go beside it
/// meanwhile, but none begins between that frame and the first one of its chunk.
final class ChunkTable implements AutoCloseable {

    private static final VarHandle LONG = JAVA_LONG.varHandle();

    private final LazyTable chunkStarts; // a bit for each frame: a chunk begins there
    private final LazyTable chunkAt; // for each 64 frames: first frame of the chunk in which they begin
    private final LazyTable memoryOfChunk; // by first frame: the driver's object
    private final LazyTable hostOfChunk; // by first frame

    ChunkTable(int frames) {
        long words = (long) frames / Long.SIZE + 1;
        Parts parts = new Parts();
        try {
            chunkStarts = parts.add(new LazyTable(words * Long.BYTES));
            chunkAt = parts.add(new LazyTable(words * Integer.BYTES));
            memoryOfChunk = parts.add(new LazyTable(words * Long.SIZE * Long.BYTES));
            hostOfChunk = parts.add(new LazyTable(words * Long.SIZE * Long.BYTES));
        } catch (RuntimeException | Error e) {
            parts.closeAfter(e);
            throw e;
        }
    }

    void add(FrameChunk chunk) {
        memoryOfChunk.segment().setAtIndex(JAVA_LONG, chunk.first, chunk.memory.nativeHandle());
        hostOfChunk.segment().setAtIndex(JAVA_LONG, chunk.first, chunk.memory.hostAddressBytes());
        for (int word = Math.ceilDiv(chunk.first, Long.SIZE); word < Math.ceilDiv(chunk.end(), Long.SIZE); word++) {
            chunkAt.segment().setAtIndex(JAVA_INT, word, chunk.first);
        }
        changeStart(chunk);
    }

    void remove(FrameChunk chunk) {
        changeStart(chunk);
    }

    private void changeStart(FrameChunk chunk) {
        LONG.getAndBitwiseXor(chunkStarts.segment(), (long) chunk.first / Long.SIZE * Long.BYTES, 1L << chunk.first);
    }

    FrameMemory.NativeTables addresses() {
        return new FrameMemory.NativeTables(chunkStarts.segment().address(), chunkAt.segment().address(), memoryOfChunk.segment().address(), hostOfChunk.segment().address());
    }

    @Override
    public void close() {
        chunkStarts.close();
        chunkAt.close();
        memoryOfChunk.close();
        hostOfChunk.close();
    }
}
