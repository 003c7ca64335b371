package io.github.hmm4j.device;

import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import io.github.hmm4j.error.OpenClFailedException;
import java.util.Locale;

/// One chunk for the heap's first pages, as many as are asked for, where frame = page index. All of its frames are in use
/// as long as they have memory: the owner of the page table says which of them mean something.
///
/// Threads: any, under the lock of its memory. Owns nothing.
public final class Aperture {

    private final FrameMemory memory;

    /// @param memory of which nothing is taken by others, and no more than the device gives in one allocation
    public Aperture(FrameMemory memory) {
        int frames = memory.capacityFrames();
        long mostBytes = memory.device.info().maxAllocationBytes();
        if (frames == 0 || memory.bytesOf(frames) > mostBytes) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "frames=%d of %d bytes, must be positive and within maxAllocationBytes=%d",
                    frames, memory.bytesOf(1), mostBytes));
        }
        this.memory = memory;
    }

    /// Takes memory from the device, unless it has some already: that is [given back][#release] before a larger piece is taken, which lies elsewhere.
    ///
    /// @param least  frames that it must have
    /// @param wished as many or more: if the device refuses these, it is asked for the least
    /// @throws DeviceMemoryExhaustedException if the device refuses; everything is as it was
    public void allocate(int least, int wished) {
        if (least <= 0 || wished < least || wished > memory.capacityFrames()) {
            throw new IllegalArgumentException("least=" + least + ", wished=" + wished + ", capacityFrames=" + memory.capacityFrames());
        }
        synchronized (memory.lock) {
            memory.checkOpen();
            if (memory.chunks().isEmpty()) {
                FrameChunk chunk = allocateChunk(least, wished);
                chunk.takeAt(0, chunk.count);
            }
        }
    }

    private FrameChunk allocateChunk(int least, int wished) {
        try {
            return memory.allocate(0, wished, false);
        } catch (OpenClFailedException e) {
            if (wished > least) {
                return allocateChunk(least, least);
            }
            throw new DeviceMemoryExhaustedException(memory.device.info().name(), memory.bytesOf(least), memory.bytesOf(memory.capacityFrames()),
                    "kernels that follow pointers need all that the heap has allocated in one allocation, and the device does not give that much: " + e.getMessage(), e);
        }
    }

    /// Gives the memory back to the device, if it has some; the next [#allocate] takes some again. No frame may mean anything any more.
    public void release() {
        synchronized (memory.lock) {
            if (!memory.chunks().isEmpty()) {
                memory.giveBack(memory.chunks().getFirst());
            }
        }
    }
}
