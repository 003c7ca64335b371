package io.github.hmm4j.device;

import io.github.hmm4j.error.DeviceLostException;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.kernels.Source;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A device that has memory and nothing else: it counts what is taken of it, and refuses on request.
///
/// Threads: one.
public final class FakeDevice implements Device {

    private static final int ALIGNMENT_BYTES = 128;

    private final DeviceInfo info;
    private long usedBytes;
    private int open;
    private long objects;
    private int allocations;
    private int slices;
    private int refusedAllocations;
    private int refusedSlices;
    private boolean lost;

    FakeDevice(long memoryBytes, long maxAllocationBytes) {
        info = info("fake", memoryBytes, maxAllocationBytes, false);
    }

    /// What a GPU may say of itself.
    public static DeviceInfo info(String name, long memoryBytes, long maxAllocationBytes, boolean unifiedMemory) {
        return new DeviceInfo(name, "somebody", "driver", "lwjgl", DeviceInfo.Kind.GPU, memoryBytes, maxAllocationBytes, ALIGNMENT_BYTES, 256, 8, 1 << 15, unifiedMemory, Set.of());
    }

    /// Refuses the next so many allocations; those of before are forgotten.
    void refuseAllocations(int count) {
        refusedAllocations = count;
    }

    void refuseSlices(int count) {
        refusedSlices = count;
    }

    /// From now on it fails at everything.
    void lose() {
        lost = true;
    }

    long usedBytes() {
        return usedBytes;
    }

    /// Memory and slices that nobody has closed.
    int openObjects() {
        return open;
    }

    /// Refused ones too.
    int allocations() {
        return allocations;
    }

    int slices() {
        return slices;
    }

    private void requireThere(String call) {
        if (lost) {
            throw new DeviceLostException(info.name(), call, refusal(call));
        }
    }

    private static OpenClFailedException refusal(String call) {
        return new OpenClFailedException(call, -4, "CL_MEM_OBJECT_ALLOCATION_FAILURE", "refused");
    }

    @Override
    public DeviceInfo info() {
        return info;
    }

    @Override
    public DeviceMemory allocate(long lengthBytes) {
        requireThere("clCreateBuffer");
        allocations++;
        if (lengthBytes > info.maxAllocationBytes()) {
            throw new IllegalArgumentException("lengthBytes=" + lengthBytes);
        }
        if (refusedAllocations > 0 || usedBytes + lengthBytes > info.memoryBytes()) {
            refusedAllocations = Math.max(0, refusedAllocations - 1);
            throw refusal("clCreateBuffer");
        }
        usedBytes += lengthBytes;
        return new Memory(null, lengthBytes);
    }

    private final class Memory implements DeviceMemory {

        private final @Nullable Memory root; // null for an allocation
        private final long lengthBytes;
        private final long number = ++objects;
        private int openSlices;
        private boolean closed;

        Memory(@Nullable Memory root, long lengthBytes) {
            this.root = root;
            this.lengthBytes = lengthBytes;
            open++;
        }

        @Override
        public long lengthBytes() {
            return lengthBytes;
        }

        /// No other object has had it.
        @Override
        public long nativeHandle() {
            return number;
        }

        @Override
        public DeviceMemory slice(long offsetBytes, long sliceBytes) {
            requireThere("clCreateSubBuffer");
            slices++;
            if (closed || root != null || offsetBytes % ALIGNMENT_BYTES != 0 || offsetBytes < 0 || sliceBytes <= 0 || offsetBytes + sliceBytes > lengthBytes) {
                throw new IllegalArgumentException("closed=" + closed + ", offsetBytes=" + offsetBytes + ", lengthBytes=" + sliceBytes);
            }
            if (refusedSlices > 0) {
                refusedSlices--;
                throw refusal("clCreateSubBuffer");
            }
            openSlices++;
            return new Memory(this, sliceBytes);
        }

        @Override
        public void close() {
            if (closed) {
                return;
            }
            if (openSlices > 0) {
                throw new IllegalStateException("openSlices=" + openSlices); // a mistake of the caller
            }
            closed = true;
            open--;
            if (root == null) {
                usedBytes -= lengthBytes;
            } else {
                root.openSlices--;
            }
        }
    }

    @Override
    public CopyEngine copyEngine(long hostAddressBytes, long lengthBytes) {
        throw new UnsupportedOperationException("it copies nothing");
    }

    @Override
    public DeviceProgram build(Source source, String options) {
        throw new UnsupportedOperationException("it runs nothing");
    }

    @Override
    public void close() {
        lost = true;
    }
}
