package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.error.HmmException;

/// Memory of a device and a queue to it, for code that calls OpenCL itself. Handles are those of the driver, good until
/// this is closed, or the device.
///
/// Threads: any; closed by one.
public final class ClLoan implements Owned {

    private final ClDevice device;
    private final ClMemory memory;
    private final long queue;
    private boolean closed;

    private ClLoan(ClDevice device, ClMemory memory, long queue) {
        this.device = device;
        this.memory = memory;
        this.queue = queue;
    }

    static ClLoan open(ClDevice device, long lengthBytes) {
        ClMemory memory = ClMemory.scratch(device, lengthBytes);
        try {
            return new ClLoan(device, memory, device.api().createQueue(device.context(), device.handle(), false));
        } catch (RuntimeException e) {
            new Cleanup(e).run(memory::close);
            throw e;
        }
    }

    /// A `cl_context`.
    public long context() {
        return device.context();
    }

    /// A `cl_device_id`.
    public long device() {
        return device.handle();
    }

    /// A `cl_command_queue` in order, on which there is nothing else.
    public long queue() {
        return queue;
    }

    public DeviceMemory memory() {
        return memory;
    }

    public synchronized boolean isClosed() {
        return closed;
    }

    /// Waits for all commands of the queue.
    public void finish() {
        try {
            device.api().finish(queue);
        } catch (HmmException e) {
            throw device.named(e);
        }
    }

    /// Waits for the queue and gives everything back. Idempotent.
    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        device.disown(this);
        new Cleanup().run(this::finish).run(() -> device.api().releaseQueue(queue)).run(memory::close).end();
    }
}
