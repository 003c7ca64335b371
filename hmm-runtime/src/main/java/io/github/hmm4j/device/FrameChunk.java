package io.github.hmm4j.device;

import java.util.BitSet;
import java.util.concurrent.atomic.AtomicInteger;

/// One allocation of a [FrameMemory], cut into frames, and which of them are used. Guarded by the memory's lock, except for
/// what is final and how many are used.
final class FrameChunk {

    final DeviceMemory memory;
    final int first;
    final int count;
    final boolean paged; // its frames are for pages that kernels find through a table
    // As long as they will ever be: changing a bit takes no memory.
    private final BitSet used;
    // Frames that a cached slice has covered: lets free() skip the cache, which is the usual case.
    private final BitSet sliced;
    private final AtomicInteger usedFrames = new AtomicInteger();
    // No free frame lies before it.
    private int firstFree;

    FrameChunk(DeviceMemory memory, int first, int count, boolean paged) {
        this.memory = memory;
        this.first = first;
        this.count = count;
        this.paged = paged;
        used = new BitSet(count);
        sliced = new BitSet(count);
    }

    int end() {
        return first + count;
    }

    boolean contains(int frame) {
        return frame >= first && frame < end();
    }

    boolean isFree() {
        return usedFrames() == 0;
    }

    /// First frame of the first free run that is long enough; or -1.
    int find(int frames) {
        int start = used.nextClearBit(firstFree);
        firstFree = start;
        while (start <= count - frames) {
            int next = used.nextSetBit(start);
            if (next < 0 || next >= start + frames) {
                return first + start;
            }
            start = used.nextClearBit(next);
        }
        return -1;
    }

    /// Takes the first free run that is long enough; there must be one.
    FrameRun take(int frames) {
        FrameRun run = new FrameRun(find(frames), frames); // before they are taken: nobody would give them back
        takeAt(run.first(), frames);
        return run;
    }

    /// Takes these frames, if all of them are free.
    boolean takeAt(int frame, int frames) {
        int next = used.nextSetBit(frame - first);
        if (next >= 0 && next < frame - first + frames) {
            return false;
        }
        used.set(frame - first, frame - first + frames);
        usedFrames.addAndGet(frames);
        return true;
    }

    /// Whether every frame of the range is used.
    boolean isUsed(int frame, int frames) {
        return used.nextClearBit(frame - first) >= frame - first + frames;
    }

    void free(int frame, int frames) {
        used.clear(frame - first, frame - first + frames);
        usedFrames.addAndGet(-frames);
        firstFree = Math.min(firstFree, frame - first);
    }

    int usedFrames() {
        return usedFrames.get();
    }

    int largestFreeRun() {
        int largest = 0;
        int start = used.nextClearBit(firstFree);
        while (start < count) {
            int next = used.nextSetBit(start);
            int end = next < 0 ? count : next;
            largest = Math.max(largest, end - start);
            start = used.nextClearBit(end);
        }
        return largest;
    }

    void markSliced(int frame, int frames) {
        sliced.set(frame - first, frame - first + frames);
    }

    /// Whether slices may cover frames of the range.
    boolean isSliced(int frame, int frames) {
        int next = sliced.nextSetBit(frame - first);
        return next >= 0 && next < frame - first + frames;
    }

    /// The slices of the range are gone.
    void clearSliced(int frame, int frames) {
        sliced.clear(frame - first, frame - first + frames);
    }
}
