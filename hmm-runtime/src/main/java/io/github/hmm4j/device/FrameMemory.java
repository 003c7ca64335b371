package io.github.hmm4j.device;

import io.github.hmm4j.error.HmmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// The memory of one device, cut into **frames** of one page each: where a frame lies, for Java and for native code, and
/// slices of it for kernels.
///
/// Frame numbers are in `[0, capacityFrames())`, so they index plain arrays. Memory is taken from the device in chunks,
/// each for a contiguous part of these numbers; when, and who gets the frames, is up to a [FramePool] or an [Aperture].
///
/// Threads: any. Has its own lock, which its pool or aperture takes too, a leaf but for calls to the device; asking where
/// a frame lies takes no lock. Owns chunks and slices.
public final class FrameMemory implements AutoCloseable {

    /// Slices kept although nobody uses them.
    static final int IDLE_SLICES = 256;

    final Device device;
    final Object lock = new Object();
    private final int pageBytes;
    private final int capacityFrames;
    private final ChunkTable nativeTable;
    private final SliceCache slices = new SliceCache(IDLE_SLICES);
    // In order of frame numbers; replaced as a whole under the lock, so that readers need none.
    private volatile List<FrameChunk> chunks = List.of();
    private boolean closed;

    /// Takes nothing from the device yet.
    ///
    /// @param budgetBytes that may be taken, rounded down to whole pages
    public FrameMemory(Device device, int pageBytes, long budgetBytes) {
        if (pageBytes <= 0 || Integer.bitCount(pageBytes) != 1) {
            throw new IllegalArgumentException("pageBytes=" + pageBytes + ", must be a power of two");
        }
        if (budgetBytes < 0 || budgetBytes / pageBytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "budgetBytes=%d, must be 0 to %d pages of %d bytes",
                    budgetBytes, Integer.MAX_VALUE, pageBytes));
        }
        this.device = device;
        this.pageBytes = pageBytes;
        capacityFrames = (int) (budgetBytes / pageBytes);
        nativeTable = new ChunkTable(capacityFrames); // the last, since it must be closed
    }

    /// Frames the budget is worth, whether or not their memory has been taken from the device.
    public int capacityFrames() {
        return capacityFrames;
    }

    /// Frames that have memory now. Takes nothing from the Java heap.
    public int frames() {
        List<FrameChunk> all = chunks;
        int frames = 0;
        for (int i = 0; i < all.size(); i++) {
            frames += all.get(i).count;
        }
        return frames;
    }

    /// Frames in use; of an aperture all that have memory.
    public int usedFrames() {
        int frames = 0;
        for (FrameChunk chunk : chunks) {
            frames += chunk.usedFrames();
        }
        return frames;
    }

    /// Addresses of the tables in which native code finds a frame's memory.
    ///
    /// @param chunkStarts   a bit for each frame: the driver's object begins there
    /// @param chunkAt       4 bytes for each 64 frames: the first frame of the object in which they begin
    /// @param memoryOfChunk 8 bytes for each frame, used at the first one of an object: the driver's name for it
    /// @param hostOfChunk   the same: where the host reaches it, or 0
    public record NativeTables(long chunkStarts, long chunkAt, long memoryOfChunk, long hostOfChunk) {}

    public NativeTables nativeTables() {
        return nativeTable.addresses();
    }

    /// Whether the frames from `firstFrame` to `lastFrame`, both included, are one piece of device memory that slices can be taken from.
    public boolean isContiguous(int firstFrame, int lastFrame) {
        FrameChunk chunk = chunkOf(firstFrame, lastFrame);
        return chunk != null && !chunk.paged;
    }

    /// Whether frames lie in one allocation, the paged chunk or another: one copy can take them all.
    public boolean isOnePiece(int firstFrame, int lastFrame) {
        return chunkOf(firstFrame, lastFrame) != null;
    }

    /// Whether a frame is one of the paged chunk. Takes nothing from the Java heap.
    public boolean isPaged(int frame) {
        FrameChunk chunk = paged();
        return chunk != null && chunk.contains(frame);
    }

    /// The allocation a frame lies in.
    public DeviceMemory memoryOf(int frame) {
        return find(frame).memory;
    }

    /// Where in [#memoryOf(int)] a frame starts.
    public long offsetOf(int frame) {
        return bytesOf(frame - find(frame).first);
    }

    /// Memory for a kernel argument: `lengthBytes` from `byteOffset` within `firstFrame` on. Not to be closed.
    ///
    /// Good until [#release(DeviceMemory)], and at the latest until one of its frames is freed.
    ///
    /// @param byteOffset such that the slice starts at a multiple of [DeviceInfo#baseAlignmentBytes()]
    /// @throws IllegalArgumentException if the bytes are misaligned, empty, or not in used frames of one chunk
    public DeviceMemory slice(int firstFrame, long byteOffset, long lengthBytes) {
        synchronized (lock) {
            checkOpen();
            FrameChunk chunk = find(firstFrame);
            long offset = bytesOf(firstFrame - chunk.first) + byteOffset;
            if (byteOffset < 0 || byteOffset >= pageBytes || lengthBytes <= 0
                    || offset > bytesOf(chunk.count) - lengthBytes) {
                throw new IllegalArgumentException(
                        String.format(Locale.ROOT, "firstFrame=%d, byteOffset=%d, lengthBytes=%d: not within pages of %d bytes of one chunk",
                                firstFrame, byteOffset, lengthBytes, pageBytes));
            }
            DeviceMemory known = slices.holdKnown(chunk, offset, lengthBytes); // its frames are used, or it would have gone with them
            if (known != null) {
                return known;
            }
            int count = Math.toIntExact(Math.ceilDiv(byteOffset + lengthBytes, (long) pageBytes));
            if (!chunk.isUsed(firstFrame, count)) {
                throw new IllegalArgumentException(String.format(Locale.ROOT, "firstFrame=%d, count=%d: not all of these frames are in use",
                        firstFrame, count));
            }
            chunk.markSliced(firstFrame, count);
            return slices.hold(chunk, offset, lengthBytes);
        }
    }

    /// Says that a slice is no longer needed: once for each time [#slice(int, long, long)] gave it, when the launch is
    /// done or did not happen. A slice that is never released stays open until its frames are freed.
    public void release(DeviceMemory slice) {
        synchronized (lock) {
            slices.release(slice);
        }
    }

    /// Slices that are open now.
    int openSlices() {
        synchronized (lock) {
            return slices.size();
        }
    }

    /// Gives everything back to the device. Nothing may be in flight on it. Idempotent.
    @Override
    public void close() {
        synchronized (lock) {
            closed = true;
            while (!chunks.isEmpty()) { // as it is if it was closed before; the rest are left if that failed
                giveBack(chunks.getFirst());
            }
            nativeTable.close();
        }
    }

    // What follows is for the pool or the aperture, which has the lock where it changes something.

    List<FrameChunk> chunks() {
        return chunks;
    }

    /// The paged chunk, if there is one: it has the largest numbers.
    @Nullable FrameChunk paged() {
        List<FrameChunk> all = chunks;
        return !all.isEmpty() && all.getLast().paged ? all.getLast() : null;
    }

    /// A new chunk of memory for these frames.
    FrameChunk allocate(int firstFrame, int count, boolean paged) {
        DeviceMemory memory = device.allocate(bytesOf(count));
        try {
            FrameChunk chunk = new FrameChunk(memory, firstFrame, count, paged);
            List<FrameChunk> more = new ArrayList<>(chunks);
            int index = 0;
            while (index < more.size() && more.get(index).first < firstFrame) {
                index++;
            }
            more.add(index, chunk);
            List<FrameChunk> all = List.copyOf(more);
            nativeTable.add(chunk);
            chunks = all;
            return chunk;
        } catch (RuntimeException | Error e) {
            memory.close(); // nobody knows it yet
            throw e;
        }
    }

    /// The chunk is gone also if the device does not close it.
    void giveBack(FrameChunk chunk) {
        List<FrameChunk> fewer = new ArrayList<>(chunks);
        fewer.remove(chunk);
        chunks = List.copyOf(fewer);
        nativeTable.remove(chunk);
        HmmException failure = slices.drop(chunk, 0, bytesOf(chunk.count));
        chunk.memory.close();
        if (failure != null) {
            throw failure;
        }
    }

    /// Frames of these have been freed.
    void dropSlices(int firstFrame, int end) {
        HmmException failure = null;
        for (int frame = firstFrame; frame < end; frame = find(frame).end()) {
            FrameChunk chunk = find(frame);
            int inChunk = Math.min(end, chunk.end()) - frame;
            if (chunk.isSliced(frame, inChunk)) {
                HmmException unclosed = slices.drop(chunk, bytesOf(frame - chunk.first), bytesOf(inChunk));
                failure = failure == null ? unclosed : failure;
                chunk.clearSliced(frame, inChunk);
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    FrameChunk find(int frame) {
        FrameChunk chunk = chunkOf(frame, frame);
        if (chunk == null) {
            throw new IllegalArgumentException("frame=" + frame + " has no memory, capacityFrames=" + capacityFrames);
        }
        return chunk;
    }

    /// The chunk in which all of these frames lie, both included.
    @Nullable FrameChunk chunkOf(int firstFrame, int lastFrame) {
        List<FrameChunk> all = chunks;
        int low = 0;
        int high = all.size() - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            FrameChunk chunk = all.get(middle);
            if (firstFrame < chunk.first) {
                high = middle - 1;
            } else if (firstFrame >= chunk.end()) {
                low = middle + 1;
            } else {
                return firstFrame <= lastFrame && lastFrame < chunk.end() ? chunk : null;
            }
        }
        return null;
    }

    void checkOpen() {
        if (closed) {
            throw new IllegalStateException("frame pool of device=" + device.info().name() + " is closed");
        }
    }

    long bytesOf(int frames) {
        return (long) frames * pageBytes;
    }
}
