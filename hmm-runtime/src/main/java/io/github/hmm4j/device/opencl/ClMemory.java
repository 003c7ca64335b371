package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.DeviceMemory;

/// A buffer, or a sub-buffer of one.
final class ClMemory implements DeviceMemory, Owned {

    private final ClDevice device;
    private final long handle;
    /// The allocation this is a slice of; itself for an allocation.
    private final ClMemory root;
    private final long rootOffsetBytes;
    private final long lengthBytes;
    private boolean closed;

    private ClMemory(ClDevice device, long lengthBytes) {
        this.device = device;
        this.handle = device.api().createBuffer(device.context(), Cl.MEM_READ_WRITE, lengthBytes, 0);
        this.root = this;
        this.rootOffsetBytes = 0;
        this.lengthBytes = lengthBytes;
    }

    private ClMemory(ClMemory root, long rootOffsetBytes, long lengthBytes) {
        this.device = root.device;
        this.handle = device.api().createSubBuffer(root.handle(), rootOffsetBytes, lengthBytes);
        this.root = root;
        this.rootOffsetBytes = rootOffsetBytes;
        this.lengthBytes = lengthBytes;
    }

    static ClMemory allocate(ClDevice device, long lengthBytes) {
        return new ClMemory(device, lengthBytes);
    }

    @Override
    public long lengthBytes() {
        return lengthBytes;
    }

    @Override
    public DeviceMemory slice(long offsetBytes, long sliceBytes) {
        requireInside(offsetBytes, sliceBytes);
        int alignment = device.info().baseAlignmentBytes();
        if (offsetBytes % alignment != 0) {
            throw new IllegalArgumentException("offsetBytes=" + offsetBytes + ", must be a multiple of " + alignment);
        }
        return device.own(() -> new ClMemory(root, rootOffsetBytes + offsetBytes, sliceBytes));
    }

    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        device.disown(this);
        device.api().releaseMemory(handle);
    }

    ClDevice device() {
        return device;
    }

    boolean isSlice() {
        return root != this;
    }

    synchronized long handle() {
        if (closed) {
            throw new IllegalStateException("device memory is closed: " + this);
        }
        return handle;
    }

    /// @throws IllegalArgumentException if the range is empty or not inside this memory
    void requireInside(long offsetBytes, long rangeBytes) {
        if (offsetBytes < 0 || rangeBytes <= 0 || rangeBytes > lengthBytes - offsetBytes) {
            throw new IllegalArgumentException("offsetBytes=" + offsetBytes + ", lengthBytes=" + rangeBytes
                    + ", must be a range of at least one byte inside memory of lengthBytes=" + lengthBytes);
        }
    }

    /// Whether two ranges share a byte, seen through slices.
    static boolean overlap(ClMemory a, long offsetA, ClMemory b, long offsetB, long rangeBytes) {
        return a.root == b.root && Math.abs(a.rootOffsetBytes + offsetA - (b.rootOffsetBytes + offsetB)) < rangeBytes;
    }

    @Override
    public String toString() {
        String place = isSlice() ? " at offset " + rootOffsetBytes : "";
        return "memory of " + lengthBytes + " bytes" + place + " on " + device;
    }
}
