package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.space.LazyTable;
import java.lang.foreign.MemorySegment;
import java.util.function.LongUnaryOperator;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A buffer, or a sub-buffer of one.
final class ClMemory extends Owned implements DeviceMemory {

    private long handle;
    /// The memory itself, where the device works in host memory and takes ours; null for all others and for slices.
    private @Nullable LazyTable hostBytes;
    private final boolean takesOurs;
    /// Where somebody else has the memory, who keeps it for as long, or 0.
    private final long wrappedBytes;
    /// Bytes of the device's memory that this has by itself: 0 of slices, and of host memory, which the operating system
    /// gives page by page.
    private long heldBytes;
    /// The allocation this is a slice of; itself for an allocation.
    private final ClMemory root;
    private final long rootOffsetBytes;
    private final long lengthBytes;

    private ClMemory(ClDevice device, long lengthBytes, boolean takesOurs, long wrappedBytes) {
        super(device);
        this.takesOurs = takesOurs;
        this.wrappedBytes = wrappedBytes;
        this.root = this;
        this.rootOffsetBytes = 0;
        this.lengthBytes = lengthBytes;
    }

    private ClMemory(ClMemory root, long rootOffsetBytes, long lengthBytes) {
        super(root.device);
        this.takesOurs = false;
        this.wrappedBytes = 0;
        this.root = root;
        this.rootOffsetBytes = rootOffsetBytes;
        this.lengthBytes = lengthBytes;
    }

    static ClMemory allocated(ClDevice device, long lengthBytes) {
        return new ClMemory(device, lengthBytes, device.usesHostMemory(), 0);
    }

    /// Memory that is the driver's also where others are ours: it keeps it for commands that are enqueued.
    static ClMemory scratch(ClDevice device, long lengthBytes) {
        return new ClMemory(device, lengthBytes, false, 0);
    }

    /// Host memory of somebody else as the driver takes it: whether kernels then work there is for [InPlaceSelfTest] to
    /// say.
    static ClMemory over(ClDevice device, long hostAddressBytes, long lengthBytes) {
        return new ClMemory(device, lengthBytes, false, hostAddressBytes);
    }

    /// Some drivers take memory from the device with the first command that uses it. Then that is ours, here: a shortage shows while whoever asked can still ask for less.
    @Override
    void make() {
        ClApi api = device.api();
        if (isSlice()) {
            handle = api.createSubBuffer(root.handle(), rootOffsetBytes, lengthBytes);
            return;
        }
        if (takesOurs) {
            hostBytes = LazyTable.inHugePages(lengthBytes);
        }
        long hostAddressBytes = wrappedBytes + hostAddressBytes();
        handle = api.createBuffer(device.context(), device.bufferFlags() | (hostAddressBytes == 0 ? 0 : Cl.MEM_USE_HOST_PTR), lengthBytes, hostAddressBytes);
        if (hostAddressBytes == 0) {
            heldBytes = lengthBytes;
            device.held().add(heldBytes);
            copied("clEnqueueFillBuffer", 1, queue -> api.enqueueZero(queue, handle, 1, 0, 1, true));
        }
    }

    @Override
    public long lengthBytes() {
        return lengthBytes;
    }

    @Override
    public void write(long offsetBytes, MemorySegment bytes) {
        requireInside(offsetBytes, bytes.byteSize());
        long host = hostAddressBytes();
        if (host != 0) {
            MemorySegment.ofAddress(host + offsetBytes).reinterpret(bytes.byteSize()).copyFrom(bytes);
            return;
        }
        copied("clEnqueueWriteBuffer", bytes.byteSize(), queue -> device.api()
                .enqueueWrite(queue, handle(), offsetBytes, bytes.byteSize(), bytes.address(), true));
    }

    @Override
    public void read(long offsetBytes, MemorySegment into) {
        requireInside(offsetBytes, into.byteSize());
        long host = hostAddressBytes();
        if (host != 0) {
            into.copyFrom(MemorySegment.ofAddress(host + offsetBytes).reinterpret(into.byteSize()));
            return;
        }
        copied("clEnqueueReadBuffer", into.byteSize(), queue -> device.api()
                .enqueueRead(queue, handle(), offsetBytes, into.byteSize(), into.address(), true));
    }

    private void copied(String call, long bytes, LongUnaryOperator enqueue) {
        ClQueue queue = device.copy();
        Supplier<String> detail = () -> "lengthBytes=" + bytes + ", " + this;
        long event;
        try {
            event = enqueue.applyAsLong(queue.handle());
        } catch (HmmException e) {
            throw ClStatus.retold(e, detail.get());
        }
        queue.submit(event, call, detail).await();
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
    void release() {
        device.held().add(-heldBytes);
        heldBytes = 0;
        try {
            if (handle != 0) {
                device.api().releaseMemory(handle);
            }
        } catch (HmmException e) {
            throw ClStatus.retold(e, toString());
        }
        if (hostBytes != null) {
            hostBytes.close();
        }
    }

    @Override
    public long nativeHandle() {
        return handle();
    }

    @Override
    public long hostAddressBytes() {
        return root.hostBytes == null ? 0 : root.hostBytes.segment().address() + rootOffsetBytes;
    }

    ClDevice device() {
        return device;
    }

    boolean isSlice() {
        return root != this;
    }

    synchronized long handle() {
        if (isClosed()) {
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

    @Override
    public String toString() {
        String place = isSlice() ? " at offset " + rootOffsetBytes : "";
        return "memory of " + lengthBytes + " bytes" + place + " on " + device;
    }
}
