package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.DeviceMemory;
import java.util.Locale;

/// Host memory of somebody else that kernels are given by its address: the driver knows no object of it. So it is of any
/// length and starts anywhere, and there is nothing to give back.
///
/// @param system whether it is memory that only a device with system SVM knows, as opposed to what the driver has allocated
record ClHostPointer(ClDevice device, long addressBytes, long lengthBytes, boolean system) implements DeviceMemory {

    @Override
    public DeviceMemory slice(long offsetBytes, long sliceBytes) {
        if (offsetBytes < 0 || sliceBytes <= 0 || sliceBytes > lengthBytes - offsetBytes) {
            throw new IllegalArgumentException("offsetBytes=" + offsetBytes + ", lengthBytes=" + sliceBytes
                    + ", must be a range of at least one byte inside " + this);
        }
        return new ClHostPointer(device, addressBytes + offsetBytes, sliceBytes, system);
    }

    @Override
    public long hostAddressBytes() {
        return addressBytes;
    }

    @Override
    public void close() {
        // the memory is not ours
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "host memory of %d bytes at 0x%x as %s uses it", lengthBytes, addressBytes, device);
    }
}
