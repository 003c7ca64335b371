package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.NativeGather;
import io.github.hmm4j.device.NativeHandles;
import java.util.List;
import java.util.stream.Stream;

/// What native code carries runs of device memory together with ([NativeGather]).
final class GatherKernel extends QueuedKernel {

    private final List<ClMemory> packed;

    /// @param packedBytes of the memory that it carries to, for each slot; 0 where that is the slot
    GatherKernel(ClDevice device, long packedBytes) {
        super(device, "runs.cl", "gather_runs");
        packed = Stream.generate(() -> ClMemory.scratch(device, packedBytes)).limit(packedBytes == 0 ? 0 : NativeHandles.BULK_SLOTS).toList();
    }

    /// @throws io.github.hmm4j.error.HmmException if the device does not take the kernel, or has no such memory
    @Override
    void make() {
        super.make();
        packed.forEach(device::keep);
    }

    NativeGather handles(boolean measured) {
        return new NativeGather(queue().handle(), handle(), items(), measured, packed.stream().map(ClMemory::handle).toList());
    }

    @Override
    void release() {
        var cleanup = new Cleanup().run(super::release);
        packed.forEach(memory -> cleanup.run(memory::close));
        cleanup.end();
    }
}
