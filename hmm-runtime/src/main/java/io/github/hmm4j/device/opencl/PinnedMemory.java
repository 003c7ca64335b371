package io.github.hmm4j.device.opencl;

import io.github.hmm4j.error.HmmException;

/// Host memory that the driver has pinned: a buffer that stays mapped for as long as it lives.
final class PinnedMemory extends Owned {

    private final long lengthBytes;
    private long buffer;
    private long addressBytes;
    private boolean unmapped; // each step that was made is noted: who goes on where the Java heap was full makes it no second time
    private boolean released;

    private PinnedMemory(ClDevice device, long lengthBytes) {
        super(device);
        this.lengthBytes = lengthBytes;
    }

    static PinnedMemory map(ClDevice device, long lengthBytes) {
        ClApi api = device.api();
        var pinned = new PinnedMemory(device, lengthBytes); // before there is a buffer, which nobody would unmap if the Java heap were full behind it
        long buffer = api.createBuffer(device.context(), Cl.MEM_READ_WRITE | Cl.MEM_ALLOC_HOST_PTR, lengthBytes, 0);
        try {
            pinned.addressBytes = api.map(device.copy().handle(), buffer, Cl.MAP_READ | Cl.MAP_WRITE, 0, lengthBytes);
        } catch (RuntimeException | Error e) {
            new Cleanup(e).run(() -> api.releaseMemory(buffer));
            throw e;
        }
        pinned.buffer = buffer;
        return pinned;
    }

    long addressBytes() {
        return addressBytes;
    }

    long lengthBytes() {
        return lengthBytes;
    }

    @Override
    void release() {
        ClApi api = device.api();
        Runnable unmap = () -> {
            api.enqueueUnmap(device.copy().handle(), buffer, addressBytes, false);
            unmapped = true;
        };
        Runnable finish = device.copy()::finish;
        Runnable release = () -> {
            api.releaseMemory(buffer);
            released = true;
        };
        var cleanup = new Cleanup();
        if (!unmapped) {
            cleanup.run(unmap).run(finish);
        }
        boolean isFull = cleanup.failure() instanceof OutOfMemoryError;
        if (!released && (unmapped || !isFull)) { // what is still mapped waits for who goes on, who needs the buffer to unmap it
            cleanup.run(release);
        }
        try {
            cleanup.end();
        } catch (HmmException e) {
            throw device.named(e);
        }
    }
}
