package io.github.hmm4j.device.sim;

import io.github.hmm4j.device.DeviceInfo;
import java.util.Objects;
import java.util.Set;

/// How a simulated device is to be. Used by one thread.
public final class SimDeviceBuilder {

    private String name = "sim";
    private long memoryBytes = 256L << 20;
    private long maxAllocationBytes = Long.MAX_VALUE;
    private int baseAlignmentBytes = 128;
    private boolean coherent;
    private SimKernels kernels = new SimKernels();

    SimDeviceBuilder() {}

    /// Its name in messages; `sim` unless set.
    public SimDeviceBuilder name(String value) {
        name = Objects.requireNonNull(value, "name");
        return this;
    }

    /// Device memory, enforced; 256 MiB unless set. Costs as much host memory as is allocated of it.
    public SimDeviceBuilder memory(long lengthBytes) {
        memoryBytes = positive("memory", lengthBytes);
        return this;
    }

    /// Largest allocation, enforced; all of the memory unless set.
    public SimDeviceBuilder maxAllocation(long lengthBytes) {
        maxAllocationBytes = positive("maxAllocation", lengthBytes);
        return this;
    }

    /// Alignment of slices of allocations, a power of two; 128 unless set.
    public SimDeviceBuilder baseAlignment(int alignmentBytes) {
        if (Integer.bitCount(alignmentBytes) != 1) {
            throw new IllegalArgumentException("baseAlignment=" + alignmentBytes + ", must be a power of two");
        }
        baseAlignmentBytes = alignmentBytes;
        return this;
    }

    /// Whether it uses host pages in place; false unless set.
    public SimDeviceBuilder coherent(boolean value) {
        coherent = value;
        return this;
    }

    /// The kernels it knows; none unless set.
    public SimDeviceBuilder kernels(SimKernels value) {
        kernels = Objects.requireNonNull(value, "kernels");
        return this;
    }

    public SimDevice open() {
        DeviceInfo info = new DeviceInfo(name, "hmm4j", "simulated", "sim", DeviceInfo.Kind.SIMULATED, memoryBytes,
                Math.min(maxAllocationBytes, memoryBytes), baseAlignmentBytes, 1024, 1, SimKernel.LOCAL_BYTES, coherent, coherent, Set.of());
        return SimDevice.open(info, kernels);
    }

    private static long positive(String what, long lengthBytes) {
        if (lengthBytes <= 0) {
            throw new IllegalArgumentException(what + "=" + lengthBytes + ", must be positive");
        }
        return lengthBytes;
    }
}
