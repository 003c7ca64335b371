package io.github.hmm4j.device.opencl;

import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.space.HostBlock;
import io.github.hmm4j.space.PageSize;

/// Fine-grained shared virtual memory (`clSVMAlloc`). Keeps the context, so that it may outlive the device: whoever still has an address in it finds memory there.
final class ClSharedMemory implements HostBlock {

    private final ClDevice device;
    private final ClApi api;
    private final long context;
    private final long allocatedBytes; // address; drivers align for the largest type, and no more
    private boolean closed;

    ClSharedMemory(ClDevice device, long lengthBytes) {
        this.device = device;
        this.api = device.api();
        this.context = device.context();
        api.retainContext(context);
        try {
            allocatedBytes = api.svmAllocate(context, Cl.MEM_READ_WRITE | Cl.MEM_SVM_FINE_GRAIN_BUFFER, lengthBytes + PageSize.MAX_BYTES, 0);
        } catch (HmmException e) {
            var cleanup = new Cleanup(device.named(e));
            cleanup.run(() -> api.releaseContext(context)).end();
            throw e;
        }
    }

    ClDevice device() {
        return device;
    }

    @Override
    public long addressBytes() {
        return (allocatedBytes + PageSize.MAX_BYTES - 1) & -PageSize.MAX_BYTES;
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            new Cleanup().run(() -> api.svmFree(context, allocatedBytes)).run(() -> api.releaseContext(context)).end();
        }
    }
}
