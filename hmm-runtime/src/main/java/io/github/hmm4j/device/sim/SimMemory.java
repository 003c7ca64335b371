package io.github.hmm4j.device.sim;

import io.github.hmm4j.device.DeviceMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Memory of a simulated device: an allocation, host pages used in place, or a slice of either.
///
/// The root (allocation or host pages) counts its slices and the work in flight that uses it, so that closing it too
/// early is noticed. Its monitor guards these counts and the map of what was written; it is a leaf.
final class SimMemory implements DeviceMemory {

    /// What undefined memory holds, so that a stale or unwritten frame shows in a result.
    static final byte SCRIBBLE = (byte) 0xDB;

    /// Bytes per bit of the map of what was written: coarse enough for a [BitSet], fine enough for any page.
    private static final long GRANULE_BYTES = 64;

    private final SimDevice device;
    private final MemorySegment segment;
    private final SimMemory root;
    private final long startBytes;
    private final @Nullable Arena arena;
    private final @Nullable BitSet defined;
    private int openSlices;
    private int inFlight;
    private volatile boolean closed;

    private SimMemory(
            SimDevice device, MemorySegment segment, @Nullable SimMemory root, long startBytes, @Nullable Arena arena) {
        this.device = device;
        this.segment = segment;
        this.root = root == null ? this : root;
        this.startBytes = startBytes;
        this.arena = arena;
        this.defined = arena == null ? null : new BitSet();
    }

    static SimMemory allocation(SimDevice device, long lengthBytes) {
        Arena arena = Arena.ofShared();
        MemorySegment segment = arena.allocate(lengthBytes, 4096);
        segment.fill(SCRIBBLE);
        return new SimMemory(device, segment, null, 0, arena);
    }

    static SimMemory host(SimDevice device, MemorySegment pages) {
        return new SimMemory(device, pages, null, 0, null);
    }

    @Override
    public long lengthBytes() {
        return segment.byteSize();
    }

    boolean isSlice() {
        return root != this;
    }

    /// Whether its bytes come out of the device's memory.
    boolean isAllocation() {
        return arena != null;
    }

    SimMemory root() {
        return root;
    }

    long startBytes() {
        return startBytes;
    }

    MemorySegment segment() {
        return segment;
    }

    SimDevice device() {
        return device;
    }

    @Override
    public DeviceMemory slice(long offsetBytes, long lengthBytes) {
        checkOpen("slice");
        int alignment = root.isAllocation() ? device.info().baseAlignmentBytes() : 1;
        checkRange("slice", offsetBytes, lengthBytes);
        if (offsetBytes % alignment != 0) {
            throw new IllegalArgumentException(
                    "slice: offsetBytes=" + offsetBytes + ", not a multiple of baseAlignmentBytes=" + alignment);
        }
        device.enterOrFail(Operation.SLICE, "bytes=" + lengthBytes);
        MemorySegment part = segment.asSlice(offsetBytes, lengthBytes);
        SimMemory slice = new SimMemory(device, part, root, startBytes + offsetBytes, null);
        if (root.isAllocation()) {    // slices of host pages own nothing and are not missed
            synchronized (root) {
                checkOpen("slice");
                root.openSlices++;
            }
            device.opened();
        }
        return slice;
    }

    void checkRange(String what, long offsetBytes, long lengthBytes) {
        long size = lengthBytes();
        if (lengthBytes <= 0 || offsetBytes < 0 || offsetBytes > size - lengthBytes) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "%s: offsetBytes=%d, lengthBytes=%d, outside memory of %d bytes",
                    what, offsetBytes, lengthBytes, size));
        }
    }

    void checkOpen(String what) {
        if (closed || root.closed) {
            throw new IllegalStateException(what + ": device memory of " + lengthBytes() + " bytes is closed");
        }
    }

    /// Work is submitted that uses this memory; it may not be closed before [#release()].
    void retain() {
        synchronized (root) {
            checkOpen("submit");
            root.inFlight++;
        }
    }

    void release() {
        synchronized (root) {
            root.inFlight--;
        }
    }

    /// Notes that a range holds data (or, after a failed copy, that it does not). Offsets count from the start of the
    /// allocation.
    void markDefined(long offsetBytes, long lengthBytes, boolean value) {
        synchronized (root) {
            if (root.defined != null) {
                int first = Math.toIntExact(offsetBytes / GRANULE_BYTES);
                int end = Math.toIntExact(Math.ceilDiv(offsetBytes + lengthBytes, GRANULE_BYTES));
                root.defined.set(first, end, value);
            }
        }
    }

    boolean isDefined(long offsetBytes, long lengthBytes) {
        synchronized (root) {
            if (root.defined == null) {
                return true;
            }
            int first = Math.toIntExact(offsetBytes / GRANULE_BYTES);
            int end = Math.toIntExact(Math.ceilDiv(offsetBytes + lengthBytes, GRANULE_BYTES));
            return root.defined.nextClearBit(first) >= end;
        }
    }

    /// @throws IllegalStateException if an allocation still has slices or work in flight
    @Override
    public void close() {
        if (isSlice()) {
            closeSlice();
            return;
        }
        synchronized (this) {
            if (closed) {
                return;
            }
            if (openSlices != 0 || inFlight != 0) {
                throw new IllegalStateException(String.format(Locale.ROOT, "close of device memory: lengthBytes=%d, openSlices=%d, workInFlight=%d",
                        lengthBytes(), openSlices, inFlight));
            }
            closed = true;
        }
        free();
    }

    private void closeSlice() {
        synchronized (root) {
            if (closed) {
                return;
            }
            closed = true;
            if (!root.isAllocation()) {
                return;
            }
            root.openSlices--;
        }
        device.closedObject();
    }

    /// The device closes and takes back what was left open; nothing is in flight any more.
    void closeWithDevice() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        free();
    }

    private void free() {
        device.freed(this);
        if (arena != null) {
            arena.close();
        }
    }
}
