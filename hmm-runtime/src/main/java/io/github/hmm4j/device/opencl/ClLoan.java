package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.error.HmmException;

/// Memory of a device and a queue to it, for code that calls OpenCL itself. Handles are those of the driver, good until
/// this is closed, or the device. To close it waits for all commands of the queue.
///
/// Threads: any; closed by one.
public final class ClLoan extends Owned {

    private final ClMemory memory;
    private long queue; // 0 again once it is released

    ClLoan(ClDevice device, long lengthBytes) {
        super(device);
        memory = ClMemory.scratch(device, lengthBytes);
    }

    @Override
    void make() {
        device.keep(memory);
        queue = device.api().createQueue(device.context(), device.handle(), false);
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
            queue = 0;
        };
        Runnable close = memory::close;
        var cleanup = new Cleanup();
        if (queue != 0) {
            cleanup.run(finish).run(releaseQueue);
        }
        cleanup.run(close).end();
    }
}
