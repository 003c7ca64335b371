package io.github.hmm4j.device.opencl;

import io.github.hmm4j.error.HmmException;

/// Host memory that the driver has pinned: a buffer that stays mapped for as long as it lives.
final class PinnedMemory extends Owned {

    private final long lengthBytes;
    private long buffer;
    private long addressBytes;

    PinnedMemory(ClDevice device, long lengthBytes) {
        super(device);
        this.lengthBytes = lengthBytes;
    }

    @Override
    void make() {
        buffer = device.api().createBuffer(device.context(), Cl.MEM_READ_WRITE | Cl.MEM_ALLOC_HOST_PTR, lengthBytes, 0);
        addressBytes = device.api().map(device.copy().handle(), buffer, Cl.MAP_READ | Cl.MAP_WRITE, 0, lengthBytes);
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
            addressBytes = 0;
        };
        Runnable finish = device.copy()::finish;
        Runnable release = () -> {
            api.releaseMemory(buffer);
            buffer = 0;
        };
        var cleanup = new Cleanup();
        if (addressBytes != 0) {
            cleanup.run(unmap).run(finish);
        }
        boolean isFull = cleanup.failure() instanceof OutOfMemoryError;
        if (buffer != 0 && (addressBytes == 0 || !isFull)) { // what is still mapped waits for who goes on, who needs the buffer to unmap it
            cleanup.run(release);
        }
        try {
            cleanup.end();
        } catch (HmmException e) {
            throw device.named(e);
        }
    }
}
