package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.NativeGather;
import io.github.hmm4j.device.NativeHandles;
import java.util.ArrayList;
import java.util.List;

/// What native code carries runs of device memory together with ([NativeGather]).
final class GatherKernel extends Owned {

    private final QueuedKernel kernel;
    private final List<ClMemory> packed;

    private GatherKernel(ClDevice device, QueuedKernel kernel, List<ClMemory> packed) {
        super(device);
        this.kernel = kernel;
        this.packed = List.copyOf(packed);
    }

    /// @param packedBytes of the memory that it carries to, for each slot; 0 where that is the slot
    /// @throws io.github.hmm4j.error.HmmException if the device does not take the kernel, or has no such memory
    static GatherKernel create(ClDevice device, long packedBytes) {
        QueuedKernel kernel = QueuedKernel.create(device, "runs.cl", "gather_runs");
        List<ClMemory> packed = new ArrayList<>(NativeHandles.BULK_SLOTS);
        try {
            for (int i = 0; packedBytes != 0 && i < NativeHandles.BULK_SLOTS; i++) {
                packed.add(ClMemory.scratch(device, packedBytes));
            }
            return new GatherKernel(device, kernel, packed);
        } catch (RuntimeException | Error e) {
            var cleanup = new Cleanup(e);
            packed.forEach(memory -> cleanup.run(memory::close));
            cleanup.run(() -> kernel.close(device.api()));
            throw e;
        }
    }

    NativeGather handles(boolean measured) {
        return new NativeGather(kernel.queue().handle(), kernel.handle(), kernel.items(), measured, packed.stream().map(ClMemory::handle).toList());
    }

    @Override
    void release() {
        var cleanup = new Cleanup();
        cleanup.run(() -> kernel.close(device.api()));
        packed.forEach(memory -> cleanup.run(memory::close));
        cleanup.end();
    }
}
