package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.error.HmmException;
import java.lang.foreign.MemorySegment;
import java.util.Locale;

/// Fine-grained shared virtual memory for a table, as memory of the device: host and kernels use the same bytes at the same address, and each sees what the other did once a kernel has begun or ended. Kernels
/// get the address; the driver knows no buffer. ([ClSharedMemory] is a heap's, and outlives the device.)
final class ClTableMemory extends Owned implements DeviceMemory {

    private long addressBytes;
    private final long lengthBytes;
    private long heldBytes; // until it is given back

    ClTableMemory(ClDevice device, long lengthBytes) {
        super(device);
        this.lengthBytes = lengthBytes;
    }

    @Override
    void make() {
        addressBytes = device.api().svmAllocate(device.context(), Cl.MEM_READ_WRITE | Cl.MEM_SVM_FINE_GRAIN_BUFFER, lengthBytes, 0);
        heldBytes = lengthBytes;
        device.held().add(heldBytes);
    }

    ClDevice device() {
        return device;
    }

    /// @throws IllegalStateException if it is closed
    synchronized long addressBytes() {
        if (isClosed()) {
            throw new IllegalStateException("device memory is closed: " + this);
        }
        return addressBytes;
    }

    @Override
    public long hostAddressBytes() {
        return addressBytes();
    }

    @Override
    public long lengthBytes() {
        return lengthBytes;
    }

    @Override
    public void write(long offsetBytes, MemorySegment bytes) {
        range(offsetBytes, bytes.byteSize()).copyFrom(bytes);
    }

    @Override
    public void read(long offsetBytes, MemorySegment into) {
        into.copyFrom(range(offsetBytes, into.byteSize()));
    }

    private MemorySegment range(long offsetBytes, long rangeBytes) {
        if (offsetBytes < 0 || rangeBytes <= 0 || rangeBytes > lengthBytes - offsetBytes) {
            throw new IllegalArgumentException("offsetBytes=" + offsetBytes + ", lengthBytes=" + rangeBytes + ", must be a range of at least one byte inside " + this);
        }
        return MemorySegment.ofAddress(addressBytes() + offsetBytes).reinterpret(rangeBytes);
    }

    @Override
    public DeviceMemory slice(long offsetBytes, long sliceBytes) {
        throw new UnsupportedOperationException("kernels get all of it: " + this);
    }

    @Override
    void release() {
        device.held().add(-heldBytes);
        heldBytes = 0;
        try {
            if (addressBytes != 0) {
                device.api().svmFree(device.context(), addressBytes);
            }
        } catch (HmmException e) {
            throw ClStatus.retold(e, toString());
        }
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "shared memory of %d bytes on %s", lengthBytes, device);
    }
}
