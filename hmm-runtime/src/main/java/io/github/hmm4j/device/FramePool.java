package io.github.hmm4j.device;

import io.github.hmm4j.error.DeviceLostException;
import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.OpenClFailedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Divides one device's memory into frames of one page each, under a budget of ours.
///
/// Two forms. **Windows**: memory is taken from the device in chunks, when it is first needed; a run of frames is
/// contiguous device memory and lies in one chunk. **Aperture**: one chunk for the heap's first pages, as many as are
/// asked for, where frame = page index and the owner of the page table says which frames are used.
///
/// Frame numbers are in `[0, capacityFrames())`, so they index plain arrays. A chunk takes a contiguous part of these
/// numbers; one that is entirely free is given back to the device when a longer run needs its numbers, since their sum
/// is the budget. A pool of windows can also hold one **paged** chunk, whose frames are given out wherever they are free,
/// for kernels that find pages through a table; no run and no slice is taken from it.
///
/// Threads: any. Has its own lock, a leaf but for calls to the device; asking where a frame lies takes no lock. Owns
/// chunks and slices.
public final class FramePool implements AutoCloseable {

    /// For which pages frames are: room in one is none in the other.
    public enum Room { WINDOWS, PAGED }

    /// No chunk is larger unless one run needs it: large enough for long windows, small enough for most drivers.
    static final long CHUNK_BYTES = 1L << 30;

    /// Slices kept although nobody uses them.
    static final int IDLE_SLICES = 256;

    private final Device device;
    private final int pageBytes;
    private final long budgetBytes;
    private final int capacityFrames;
    private final int maxRunFrames;
    private final boolean aperture;
    private final Object lock = new Object();
    private final ChunkTable nativeTable;
    private final SliceCache slices = new SliceCache(IDLE_SLICES);
    // In order of frame numbers; replaced as a whole under the lock, so that readers need none.
    private volatile List<FrameChunk> chunks = List.of();
    private volatile @Nullable FrameChunk paged; // one of the chunks
    private volatile int usedFrames;
    private int mostFrames; // that may have memory: less than the capacity while the device is taken to have less
    private boolean closed;

    private FramePool(Device device, int pageBytes, long budgetBytes, int capacityFrames, boolean aperture) {
        this.device = device;
        this.pageBytes = pageBytes;
        this.budgetBytes = budgetBytes;
        this.capacityFrames = capacityFrames;
        mostFrames = capacityFrames;
        this.aperture = aperture;
        maxRunFrames = (int) Math.min(capacityFrames, device.info().maxAllocationBytes() / pageBytes);
        nativeTable = new ChunkTable(capacityFrames); // the last, since it must be closed
    }

    /// A pool of `budgetBytes`, rounded down to whole pages, that takes nothing from the device yet.
    public static FramePool windows(Device device, int pageBytes, long budgetBytes) {
        checkPage(pageBytes);
        if (budgetBytes < 0 || budgetBytes / pageBytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "budgetBytes=%d, must be 0 to %d pages of %d bytes",
                    budgetBytes, Integer.MAX_VALUE, pageBytes));
        }
        return new FramePool(device, pageBytes, budgetBytes, (int) (budgetBytes / pageBytes), false);
    }

    /// A pool of one chunk of up to `frames` pages, which is taken from the device by [#allocateAperture].
    public static FramePool aperture(Device device, int pageBytes, int frames) {
        checkPage(pageBytes);
        long lengthBytes = (long) frames * pageBytes;
        if (frames <= 0 || lengthBytes > device.info().maxAllocationBytes()) {
            throw new IllegalArgumentException(
                    String.format(Locale.ROOT, "frames=%d of %d bytes, must be positive and within maxAllocationBytes=%d",
                            frames, pageBytes, device.info().maxAllocationBytes()));
        }
        return new FramePool(device, pageBytes, lengthBytes, frames, true);
    }

    private static void checkPage(int pageBytes) {
        if (pageBytes <= 0 || Integer.bitCount(pageBytes) != 1) {
            throw new IllegalArgumentException("pageBytes=" + pageBytes + ", must be a power of two");
        }
    }

    /// Frames the budget is worth, whether or not their memory has been taken from the device.
    public int capacityFrames() {
        return capacityFrames;
    }

    public int pageBytes() {
        return pageBytes;
    }

    public long budgetBytes() {
        return budgetBytes;
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

    /// Frames in use; of an aperture those that have memory.
    public int usedFrames() {
        return usedFrames;
    }

    /// Frames that are not in use. They need not be contiguous: see [#largestFreeRun()].
    public int freeFrames() {
        return capacityFrames - usedFrames;
    }

    /// Bytes taken from the device now.
    public long deviceBytes() {
        long frames = 0;
        for (FrameChunk chunk : chunks) {
            frames += chunk.count;
        }
        return frames * pageBytes;
    }

    /// Frames of an aperture that have memory: the first ones. None until it is allocated.
    public int apertureFrames() {
        List<FrameChunk> all = chunks;
        return !aperture || all.isEmpty() ? 0 : all.getFirst().count;
    }

    /// Takes an aperture's memory from the device, unless it has some already: that is [given back][#releaseAperture()] before a larger piece is taken, which lies elsewhere.
    ///
    /// @param least  frames that it must have
    /// @param wished as many or more: if the device refuses these, it is asked for the least
    /// @throws DeviceMemoryExhaustedException if the device refuses; the pool is as it was
    public void allocateAperture(int least, int wished) {
        if (!aperture) {
            throw new IllegalStateException("a pool of windows has no aperture, budgetBytes=" + budgetBytes);
        }
        if (least <= 0 || wished < least || wished > capacityFrames) {
            throw new IllegalArgumentException("least=" + least + ", wished=" + wished + ", capacityFrames=" + capacityFrames);
        }
        synchronized (lock) {
            checkOpen();
            if (chunks.isEmpty()) {
                FrameChunk chunk = allocateFirst(least, wished);
                chunk.take(0, chunk.count);
                usedFrames = chunk.count;
            }
        }
    }

    private FrameChunk allocateFirst(int least, int wished) {
        try {
            return allocate(0, wished);
        } catch (OpenClFailedException e) {
            if (wished > least) {
                return allocateFirst(least, least);
            }
            throw new DeviceMemoryExhaustedException(device.info().name(), bytesOf(least), budgetBytes,
                    "kernels that follow pointers need all that the heap has allocated in one allocation, and the device does not give that much: " + e.getMessage(), e);
        }
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
        checkWindows();
        synchronized (lock) {
            checkOpen();
            FrameChunk chunk = withRoom(frames);
            if (chunk == null) {
                return null;
            }
            FrameRun run = new FrameRun(chunk.find(frames), frames); // before they are taken: nobody would give them back
            chunk.take(run.first(), frames);
            usedFrames += frames;
            return run;
        }
    }

    private @Nullable FrameChunk withRoom(int frames) {
        for (FrameChunk chunk : chunks) {
            if (chunk != paged && chunk.find(frames) >= 0) {
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
        checkWindows();
        if (frames <= 0 || frames > maxRunFrames) {
            throw new IllegalArgumentException("frames=" + frames + ", must be 1 to " + maxRunFrames);
        }
        synchronized (lock) {
            checkOpen();
            if (paged != null) {
                throw new IllegalStateException("there is a paged chunk, frames=" + pagedFrames().count());
            }
            int first = capacityFrames - frames;
            for (FrameChunk chunk : chunks) {
                if (chunk.end() > first && !chunk.isFree()) {
                    return false;
                }
            }
            for (FrameChunk chunk : chunks) {
                if (chunk.end() > first) {
                    giveBack(chunk);
                }
            }
            paged = allocate(first, frames);
            return true;
        }
    }

    /// Frames that may have memory: the budget's, or fewer once the device has turned out to have less ([#shrink]).
    public int mostFrames() {
        synchronized (lock) {
            return mostFrames;
        }
    }

    /// Most frames that the paged chunk can have.
    public int largestPaged() {
        return maxRunFrames;
    }

    /// The frames of the paged chunk; none if there is no such chunk.
    public FrameRun pagedFrames() {
        FrameChunk chunk = paged;
        return chunk == null ? new FrameRun(0, 0) : new FrameRun(chunk.first, chunk.count);
    }

    /// The numbers of all frames of a room that have memory, and of those between them: a budget may be far more than the device has.
    public FrameRun framesOf(Room room) {
        if (room == Room.PAGED) {
            return pagedFrames();
        }
        int end = 0;
        for (FrameChunk chunk : chunks) {
            end = chunk == paged ? end : Math.max(end, chunk.end());
        }
        return new FrameRun(0, end);
    }

    /// Whether a frame is one of the paged chunk. Takes nothing from the Java heap.
    public boolean isPaged(int frame) {
        FrameChunk chunk = paged;
        return chunk != null && chunk.contains(frame);
    }

    /// Frames of the paged chunk that [#takePaged] would give.
    public int freePaged() {
        synchronized (lock) {
            return paged == null ? 0 : paged.freeFrames();
        }
    }

    /// The memory of the paged chunk, its frames one behind the other. Owned by the pool.
    ///
    /// @throws IllegalStateException if there is none
    public DeviceMemory pagedMemory() {
        FrameChunk chunk = paged;
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
        synchronized (lock) {
            checkOpen();
            FrameChunk chunk = paged;
            if (chunk == null) {
                return null;
            }
            int count = chunk.find(most) >= 0 ? most : chunk.largestFreeRun();
            if (count == 0) {
                return null;
            }
            FrameRun run = new FrameRun(chunk.find(count), count);
            chunk.take(run.first(), count);
            usedFrames += count;
            return run;
        }
    }

    /// Takes these frames and no others. Their contents are undefined.
    ///
    /// @return false if they are not free, all of them in one piece of device memory; then none was taken
    public boolean allocateAt(int firstFrame, int count) {
        checkWindows();
        synchronized (lock) {
            checkOpen();
            FrameChunk chunk = firstFrame < 0 || count <= 0 ? null : findOrNull(firstFrame);
            if (chunk == null || chunk == paged || !chunk.contains(firstFrame + count - 1) || !chunk.takeAt(firstFrame, count)) {
                return false;
            }
            usedFrames += count;
            return true;
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
        checkWindows();
        if (count <= 0 || count > capacityFrames - firstFrame) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "firstFrame=%d, count=%d, capacityFrames=%d",
                    firstFrame, count, capacityFrames));
        }
        synchronized (lock) {
            int end = firstFrame + count;
            for (int frame = firstFrame; frame < end; frame = find(frame).end()) {
                FrameChunk chunk = find(frame);
                if (!chunk.isUsed(frame, Math.min(end, chunk.end()) - frame)) {
                    throw new IllegalStateException(
                            String.format(Locale.ROOT, "firstFrame=%d, count=%d: not all of these frames are in use",
                                    firstFrame, count));
                }
            }
            for (int frame = firstFrame; frame < end; frame = find(frame).end()) {
                FrameChunk chunk = find(frame);
                chunk.free(frame, Math.min(end, chunk.end()) - frame);
            }
            usedFrames -= count;
            dropSlices(firstFrame, end);
        }
    }

    private void dropSlices(int firstFrame, int end) {
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

    /// The longest run that [#allocateRun(int)] would find now, counting memory that is still to be taken from the
    /// device.
    public int largestFreeRun() {
        checkWindows();
        synchronized (lock) {
            int largest = 0;
            for (FrameChunk chunk : chunks) {
                largest = chunk == paged ? largest : Math.max(largest, chunk.largestFreeRun());
            }
            for (FrameRun span : spans(true)) {
                largest = Math.max(largest, Math.min(span.count(), maxRunFrames));
            }
            return largest;
        }
    }

    /// Gives back to the device the memory of chunks without a used frame.
    public void releaseFreeChunks() {
        synchronized (lock) {
            for (FrameChunk chunk : chunks) {
                if (chunk.isFree()) {
                    giveBack(chunk);
                }
            }
        }
    }

    /// The device has less than the budget allows: others use it, or its driver needs some for what it runs. Gives the
    /// memory of chunks without a used frame back, and takes no more than three quarters of what it had until it
    /// [grows again][#growAgain()].
    ///
    /// @return bytes given back; 0 of an aperture, which is one piece
    public long shrink() {
        if (aperture) {
            return 0;
        }
        synchronized (lock) {
            long before = deviceBytes();
            releaseFreeChunks();
            long given = before - deviceBytes();
            if (given > 0) {
                mostFrames = (int) Math.max(1, before / pageBytes * 3 / 4);
            }
            return given;
        }
    }

    /// What the device had too little of it may have again: from now on it is asked for all of the budget, as if the
    /// pool had never shrunk.
    ///
    /// @return whether it had
    public boolean growAgain() {
        synchronized (lock) {
            boolean hadShrunk = mostFrames < capacityFrames;
            mostFrames = capacityFrames;
            return hadShrunk;
        }
    }

    /// Gives an aperture's memory back to the device; the next [#allocateAperture] takes some again. No frame may mean anything any more.
    public void releaseAperture() {
        synchronized (lock) {
            if (apertureFrames() > 0) {
                try {
                    giveBack(chunks.getFirst());
                } finally {
                    usedFrames = apertureFrames();
                }
            }
        }
    }

    /// Whether the frames from `firstFrame` to `lastFrame`, both included, are one piece of device memory that slices can be taken from.
    public boolean isContiguous(int firstFrame, int lastFrame) {
        FrameChunk chunk = firstFrame <= lastFrame ? findOrNull(firstFrame) : null;
        return chunk != null && chunk != paged && chunk.contains(lastFrame);
    }

    /// Whether frames lie in one allocation, the paged chunk or another: one copy can take them all.
    public boolean isOnePiece(int firstFrame, int lastFrame) {
        FrameChunk chunk = firstFrame <= lastFrame ? findOrNull(firstFrame) : null;
        return chunk != null && chunk.contains(lastFrame);
    }

    /// The allocation a frame lies in.
    public DeviceMemory memoryOf(int frame) {
        return find(frame).memory;
    }

    /// Where in [#memoryOf(int)] a frame starts.
    public long offsetOf(int frame) {
        return bytesOf(frame - find(frame).first);
    }

    /// Memory for a kernel argument: `lengthBytes` from `byteOffset` within `firstFrame` on. Owned by the pool: not to
    /// be closed.
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
            usedFrames = 0;
            nativeTable.close();
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
            for (FrameChunk chunk : chunks) {
                if (chunk.first >= span.first() && chunk.end() <= span.end()) {
                    giveBack(chunk);
                }
            }
        }
        int preferred = (int) Math.min(maxRunFrames, CHUNK_BYTES / pageBytes);
        int count = Math.min(Math.min(span.count(), roomFrames()), Math.max(frames, preferred));
        while (true) {
            try {
                return allocate(span.first(), count);
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
        return (int) Math.max(0, mostFrames - deviceBytes() / pageBytes);
    }

    /// A new chunk of memory for these frames.
    private FrameChunk allocate(int firstFrame, int count) {
        DeviceMemory memory = device.allocate(bytesOf(count));
        try {
            FrameChunk chunk = new FrameChunk(memory, firstFrame, count);
            List<FrameChunk> more = new ArrayList<>(chunks);
            more.add(indexAfter(firstFrame), chunk);
            List<FrameChunk> all = List.copyOf(more);
            nativeTable.add(chunk);
            chunks = all;
            return chunk;
        } catch (RuntimeException | Error e) {
            memory.close(); // nobody knows it yet
            throw e;
        }
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
        for (FrameChunk chunk : chunks) {
            if (withFreeChunks && chunk.isFree()) {
                continue;
            }
            if (chunk.first > start) {
                spans.add(new FrameRun(start, chunk.first - start));
            }
            start = chunk.end();
        }
        if (start < capacityFrames) {
            spans.add(new FrameRun(start, capacityFrames - start));
        }
        return spans;
    }

    /// The chunk is gone also if the device does not close it.
    private void giveBack(FrameChunk chunk) {
        List<FrameChunk> fewer = new ArrayList<>(chunks);
        fewer.remove(chunk);
        chunks = List.copyOf(fewer);
        paged = chunk == paged ? null : paged;
        nativeTable.remove(chunk);
        HmmException failure = slices.drop(chunk, 0, bytesOf(chunk.count));
        chunk.memory.close();
        if (failure != null) {
            throw failure;
        }
    }

    private FrameChunk find(int frame) {
        FrameChunk chunk = findOrNull(frame);
        if (chunk == null) {
            throw new IllegalArgumentException("frame=" + frame + " has no memory, capacityFrames=" + capacityFrames);
        }
        return chunk;
    }

    private @Nullable FrameChunk findOrNull(int frame) {
        List<FrameChunk> all = chunks;
        int low = 0;
        int high = all.size() - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            FrameChunk chunk = all.get(middle);
            if (frame < chunk.first) {
                high = middle - 1;
            } else if (frame >= chunk.end()) {
                low = middle + 1;
            } else {
                return chunk;
            }
        }
        return null;
    }

    private int indexAfter(int frame) {
        int index = 0;
        for (FrameChunk chunk : chunks) {
            index += chunk.first < frame ? 1 : 0;
        }
        return index;
    }

    private void checkWindows() {
        if (aperture) {
            throw new IllegalStateException("frames of an aperture are not allocated, frame = page index");
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("frame pool of device=" + device.info().name() + " is closed");
        }
    }

    private long bytesOf(int frames) {
        return (long) frames * pageBytes;
    }
}
