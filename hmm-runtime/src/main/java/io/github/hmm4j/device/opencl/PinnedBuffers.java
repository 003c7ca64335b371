package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.NativeHandles;
import java.util.Arrays;
import java.util.List;

/// Buffers in pinned host memory for copies that native code makes. It maps and unmaps them as it needs.
final class PinnedBuffers extends Owned {

    private final long lengthBytes;
    private final long[] buffers = new long[NativeHandles.SLOTS];
    private int released;

    /// @param lengthBytes of all together
    PinnedBuffers(ClDevice device, long lengthBytes) {
        super(device);
        this.lengthBytes = lengthBytes;
    }

    /// Some drivers take memory from the device with the first command that uses it. Then that is ours, here: pages come home also from a device that is full.
    @Override
    void make() {
        ClApi api = device.api();
        for (int i = 0; i < buffers.length; i++) {
            buffers[i] = api.createBuffer(device.context(), Cl.MEM_READ_WRITE | Cl.MEM_ALLOC_HOST_PTR, NativeHandles.slotBytes(i, lengthBytes), 0);
            api.enqueueZero(device.copy().handle(), buffers[i], 1, 0, 1, false);
        }
        device.copy().finish(); // native code uses them on queues of its own
    }

    List<Long> handles() {
        return Arrays.stream(buffers).boxed().toList();
    }

    @Override
    void release() {
        var cleanup = new Cleanup();
        for (; released < buffers.length && buffers[released] != 0; released++) {
            cleanup.run(() -> device.api().releaseMemory(buffers[released]));
        }
        cleanup.end();
    }
}
