package io.github.hmm4j.device;

import io.github.hmm4j.error.DeviceLostException;
import io.github.hmm4j.error.HmmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Gives out the frames of one device's memory under a budget of ours, and takes that memory from the device, in chunks,
/// when it is first needed.
///
/// Frames are for **windows**: a run of them is contiguous device memory and lies in one chunk. One that is entirely free
/// is given back to the device when a longer run needs its numbers, since the sum of these is the budget. There can also
/// be one **paged** chunk, whose frames are given out wherever they are free, for kernels that find pages through a table;
/// no run and no slice is taken from it.
///
/// Threads: any, under the lock of its memory. Owns nothing.
public final class FramePool {

    /// For which pages frames are: room in one is none in the other.
    public enum Room { WINDOWS, PAGED }

    /// No chunk is larger unless one run needs it: large enough for long windows, small enough for most drivers.
    static final long CHUNK_BYTES = 1L << 30;

    private final FrameMemory memory;
    private final int maxRunFrames;
    private int mostFrames; // that may have memory: less than the capacity while the device is taken to have less

    /// @param memory of which nothing is taken by others
    public FramePool(FrameMemory memory) {
        this.memory = memory;
        maxRunFrames = (int) Math.min(memory.capacityFrames(), memory.device.info().maxAllocationBytes() / memory.bytesOf(1));
        mostFrames = memory.capacityFrames();
    }

    /// Frames that are not in use. They need not be contiguous.
    public int freeFrames() {
        return memory.capacityFrames() - memory.usedFrames();
    }

    /// Takes the first run of contiguous frames that is long enough, and memory for it from the device if need be.
    /// Their contents are undefined.
    ///
    /// @return null if no such run can be had before some frames are freed
    /// @throws HmmException if the device refuses memory that the budget allows; no frame was taken, free chunks may
    ///     have been given back
    public @Nullable FrameRun allocateRun(int frames) {
        if (frames <= 0) {
            throw new IllegalArgumentException("frames=" + frames + ", must be positive");
        }
        synchronized (memory.lock) {
            memory.checkOpen();
            FrameChunk chunk = withRoom(frames);
            return chunk == null ? null : chunk.take(frames);
        }
    }

    private @Nullable FrameChunk withRoom(int frames) {
        for (FrameChunk chunk : memory.chunks()) {
            if (!chunk.paged && chunk.find(frames) >= 0) {
                return chunk;
            }
        }
        return grow(frames);
    }

    /// Takes memory for the paged chunk from the device: the frames with the largest numbers. There must be none yet.
    ///
    /// @param frames 1 to [#largestPaged()]
    /// @return false if frames are used whose numbers it would have
    /// @throws HmmException if the device refuses; free chunks may have been given back
    public boolean allocatePaged(int frames) {
        if (frames <= 0 || frames > maxRunFrames) {
            throw new IllegalArgumentException("frames=" + frames + ", must be 1 to " + maxRunFrames);
        }
        synchronized (memory.lock) {
            memory.checkOpen();
            if (memory.paged() != null) {
                throw new IllegalStateException("there is a paged chunk, frames=" + pagedFrames().count());
            }
            int first = memory.capacityFrames() - frames;
            for (FrameChunk chunk : memory.chunks()) {
                if (chunk.end() > first && !chunk.isFree()) {
                    return false;
                }
            }
            for (FrameChunk chunk : memory.chunks()) {
                if (chunk.end() > first) {
                    memory.giveBack(chunk);
                }
            }
            memory.allocate(first, frames, true);
            return true;
        }
    }

    /// Frames that may have memory: the budget's, or fewer once the device has turned out to have less ([#shrink]).
    public int mostFrames() {
        synchronized (memory.lock) {
            return mostFrames;
        }
    }

    /// Most frames that the paged chunk can have.
    public int largestPaged() {
        return maxRunFrames;
    }

    /// The frames of the paged chunk; none if there is no such chunk.
    public FrameRun pagedFrames() {
        FrameChunk chunk = memory.paged();
        return chunk == null ? new FrameRun(0, 0) : new FrameRun(chunk.first, chunk.count);
    }

    /// The numbers of all frames of a room that have memory, and of those between them: a budget may be far more than the device has.
    public FrameRun framesOf(Room room) {
        if (room == Room.PAGED) {
            return pagedFrames();
        }
        int end = 0;
        for (FrameChunk chunk : memory.chunks()) {
            end = chunk.paged ? end : Math.max(end, chunk.end());
        }
        return new FrameRun(0, end);
    }

    /// Frames of the paged chunk that [#takePaged] would give.
    public int freePaged() {
        synchronized (memory.lock) {
            FrameChunk chunk = memory.paged();
            return chunk == null ? 0 : chunk.count - chunk.usedFrames();
        }
    }

    /// The memory of the paged chunk, its frames one behind the other. Not to be closed.
    ///
    /// @throws IllegalStateException if there is none
    public DeviceMemory pagedMemory() {
        FrameChunk chunk = memory.paged();
        if (chunk == null) {
            throw new IllegalStateException("there is no paged chunk");
        }
        return chunk.memory;
    }

    /// Takes frames of the paged chunk that lie one behind the other: as many as are asked for, or the longest run that
    /// is free. Their contents are undefined.
    ///
    /// @return null if none is free
    public @Nullable FrameRun takePaged(int most) {
        synchronized (memory.lock) {
            memory.checkOpen();
            FrameChunk chunk = memory.paged();
            if (chunk == null) {
                return null;
            }
            int count = chunk.find(most) >= 0 ? most : chunk.largestFreeRun();
            return count == 0 ? null : chunk.take(count);
        }
    }

    /// Takes these frames and no others. Their contents are undefined.
    ///
    /// @return false if they are not free, all of them in one piece of device memory; then none was taken
    public boolean allocateAt(int firstFrame, int count) {
        synchronized (memory.lock) {
            memory.checkOpen();
            FrameChunk chunk = memory.chunkOf(firstFrame, firstFrame + count - 1);
            return chunk != null && !chunk.paged && chunk.takeAt(firstFrame, count);
        }
    }

    /// Frees used frames, whether or not they are of one run or one chunk. No launch or copy that is in flight or being
    /// prepared may use them: slices that cover any of them are closed.
    ///
    /// Takes nothing from the Java heap.
    ///
    /// @throws IllegalStateException if one of them is not in use; none was freed
    /// @throws HmmException          if the device does not close a slice; the frames are free all the same
    public void free(int firstFrame, int count) {
        if (count <= 0 || count > memory.capacityFrames() - firstFrame) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "firstFrame=%d, count=%d, capacityFrames=%d",
                    firstFrame, count, memory.capacityFrames()));
        }
        synchronized (memory.lock) {
            int end = firstFrame + count;
            for (int frame = firstFrame; frame < end; frame = memory.find(frame).end()) {
                FrameChunk chunk = memory.find(frame);
                if (!chunk.isUsed(frame, Math.min(end, chunk.end()) - frame)) {
                    throw new IllegalStateException(
                            String.format(Locale.ROOT, "firstFrame=%d, count=%d: not all of these frames are in use",
                                    firstFrame, count));
                }
            }
            for (int frame = firstFrame; frame < end; frame = memory.find(frame).end()) {
                FrameChunk chunk = memory.find(frame);
                chunk.free(frame, Math.min(end, chunk.end()) - frame);
            }
            memory.dropSlices(firstFrame, end);
        }
    }

    /// Gives back to the device the memory of chunks without a used frame.
    public void releaseFreeChunks() {
        synchronized (memory.lock) {
            for (FrameChunk chunk : memory.chunks()) {
                if (chunk.isFree()) {
                    memory.giveBack(chunk);
                }
            }
        }
    }

    /// The device has less than the budget allows: others use it, or its driver needs some for what it runs. Gives the
    /// memory of chunks without a used frame back, and takes no more than three quarters of what it had until it
    /// [grows again][#growAgain()].
    ///
    /// @return bytes given back
    public long shrink() {
        synchronized (memory.lock) {
            int before = memory.frames();
            releaseFreeChunks();
            int given = before - memory.frames();
            if (given > 0) {
                mostFrames = (int) Math.max(1, before * 3L / 4);
            }
            return memory.bytesOf(given);
        }
    }

    /// What the device had too little of it may have again: from now on it is asked for all of the budget, as if the
    /// pool had never shrunk.
    ///
    /// @return whether it had
    public boolean growAgain() {
        synchronized (memory.lock) {
            boolean hadShrunk = mostFrames < memory.capacityFrames();
            mostFrames = memory.capacityFrames();
            return hadShrunk;
        }
    }

    /// A new chunk with room for a run, or null. Free chunks that are in its way are given back.
    private @Nullable FrameChunk grow(int frames) {
        if (frames > maxRunFrames) {
            return null;
        }
        if (frames > roomFrames()) {
            releaseFreeChunks();
            if (frames > roomFrames()) {
                return null;
            }
        }
        FrameRun span = firstAtLeast(frames, spans(false));
        if (span == null) {
            span = firstAtLeast(frames, spans(true));
            if (span == null) {
                return null;
            }
            for (FrameChunk chunk : memory.chunks()) {
                if (chunk.first >= span.first() && chunk.end() <= span.end()) {
                    memory.giveBack(chunk);
                }
            }
        }
        int preferred = (int) Math.min(maxRunFrames, CHUNK_BYTES / memory.bytesOf(1));
        int count = Math.min(Math.min(span.count(), roomFrames()), Math.max(frames, preferred));
        while (true) {
            try {
                return memory.allocate(span.first(), count, false);
            } catch (DeviceLostException lost) {
                throw lost;
            } catch (HmmException refused) {
                if (count == frames) {
                    throw refused;
                }
                // The device has less than we hoped; what is needed may still be there.
                count = Math.max(frames, count / 2);
            }
        }
    }

    /// Frames that may still get memory.
    private int roomFrames() {
        return Math.max(0, mostFrames - memory.frames());
    }

    private static @Nullable FrameRun firstAtLeast(int frames, List<FrameRun> spans) {
        for (FrameRun span : spans) {
            if (span.count() >= frames) {
                return span;
            }
        }
        return null;
    }

    /// Runs of frame numbers without memory; if `withFreeChunks`, those that become so when free chunks are given back.
    private List<FrameRun> spans(boolean withFreeChunks) {
        List<FrameRun> spans = new ArrayList<>();
        int start = 0;
        for (FrameChunk chunk : memory.chunks()) {
            if (withFreeChunks && chunk.isFree()) {
                continue;
            }
            if (chunk.first > start) {
                spans.add(new FrameRun(start, chunk.first - start));
            }
            start = chunk.end();
        }
        if (start < memory.capacityFrames()) {
            spans.add(new FrameRun(start, memory.capacityFrames() - start));
        }
        return spans;
    }
}
