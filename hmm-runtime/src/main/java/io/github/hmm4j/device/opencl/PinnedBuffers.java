package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.NativeHandles;
import java.util.ArrayList;
import java.util.List;

/// Buffers in pinned host memory for copies that native code makes. It maps and unmaps them as it needs.
final class PinnedBuffers extends Owned {

    private final List<Long> buffers;
    private int released;

    private PinnedBuffers(ClDevice device, List<Long> buffers) {
        super(device);
        this.buffers = List.copyOf(buffers);
    }

    /// Some drivers take memory from the device with the first command that uses it. Then that is ours, here: pages come home also from a device that is full.
    ///
    /// @param lengthBytes of all together
    static PinnedBuffers create(ClDevice device, long lengthBytes) {
        ClApi api = device.api();
        List<Long> made = new ArrayList<>(NativeHandles.SLOTS);
        try {
            for (int i = 0; i < NativeHandles.SLOTS; i++) {
                made.add(api.createBuffer(device.context(), Cl.MEM_READ_WRITE | Cl.MEM_ALLOC_HOST_PTR, NativeHandles.slotBytes(i, lengthBytes), 0));
            }
            made.forEach(buffer -> api.enqueueZero(device.copy().handle(), buffer, 1, 0, 1, false));
            device.copy().finish(); // native code uses them on queues of its own
            return new PinnedBuffers(device, made);
        } catch (RuntimeException | Error e) {
            var cleanup = new Cleanup(e);
            made.forEach(buffer -> cleanup.run(() -> api.releaseMemory(buffer)));
            throw e;
        }
    }

    List<Long> handles() {
        return buffers;
    }

    @Override
    void release() {
        var cleanup = new Cleanup();
        for (; released < buffers.size(); released++) {
            cleanup.run(() -> device.api().releaseMemory(buffers.get(released)));
        }
        cleanup.end();
    }
}
