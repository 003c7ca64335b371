package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.error.HmmException;

/// Memory of a device and a queue to it, for code that calls OpenCL itself. Handles are those of the driver, good until
/// this is closed, or the device. To close it waits for all commands of the queue.
///
/// Threads: any; closed by one.
public final class ClLoan extends Owned {

    private final ClMemory memory;
    private final long queue;
    private boolean queueReleased; // who goes on where the Java heap was full releases it no second time

    private ClLoan(ClDevice device, ClMemory memory, long queue) {
        super(device);
        this.memory = memory;
        this.queue = queue;
    }

    static ClLoan open(ClDevice device, long lengthBytes) {
        ClMemory memory = ClMemory.scratch(device, lengthBytes);
        try {
            return new ClLoan(device, memory, device.api().createQueue(device.context(), device.handle(), false));
        } catch (RuntimeException | Error e) {
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

    /// Waits for all commands of the queue.
    public void finish() {
        try {
            device.api().finish(queue);
        } catch (HmmException e) {
            throw device.named(e);
        }
    }

    @Override
    void release() {
        Runnable finish = this::finish;
        Runnable releaseQueue = () -> {
            device.api().releaseQueue(queue);
            queueReleased = true;
        };
        Runnable close = memory::close;
        var cleanup = new Cleanup();
        if (!queueReleased) {
            cleanup.run(finish).run(releaseQueue);
        }
        cleanup.run(close).end();
    }
}
