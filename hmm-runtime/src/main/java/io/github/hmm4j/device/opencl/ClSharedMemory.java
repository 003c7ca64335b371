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
        long allocated = 0;
        try {
            allocated = api.svmAllocate(context, Cl.MEM_READ_WRITE | Cl.MEM_SVM_FINE_GRAIN_BUFFER, lengthBytes + PageSize.MAX_BYTES, 0);
        } catch (HmmException e) {
            throw device.named(e);
        } finally {
            if (allocated == 0) {
                api.releaseContext(context);
            }
        }
        allocatedBytes = allocated;
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
            Runnable release = () -> api.releaseContext(context); // before anything is given back
            var cleanup = new Cleanup().run(() -> api.svmFree(context, allocatedBytes));
            closed = !(cleanup.failure() instanceof OutOfMemoryError); // else the next call goes on
            if (closed) {
                cleanup.run(release);
            }
            cleanup.end();
        }
    }
}
