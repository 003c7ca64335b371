package io.github.hmm4j.device.opencl;

import io.github.hmm4j.kernels.Source;

/// A kernel of ours on a queue of its own, where it stands behind no kernel of the program.
///
/// Closed by its owner, and again where the Java heap was full meanwhile: what was released then is noted.
final class QueuedKernel {

    private final ClProgram program;
    private final ClQueue queue;
    private final long handle;
    private final long items;
    private boolean kernelReleased;
    private boolean queueReleased;

    private QueuedKernel(ClProgram program, ClQueue queue, long handle, long items) {
        this.program = program;
        this.queue = queue;
        this.handle = handle;
        this.items = items;
    }

    /// Compiles it, which may take long.
    ///
    /// @throws io.github.hmm4j.error.HmmException if the device does not take it
    static QueuedKernel create(ClDevice device, String source, String name) {
        ClProgram program = ClProgram.build(device, Source.resource(source), "-cl-std=CL1.2");
        var cleanup = new Cleanup();
        QueuedKernel[] made = new QueuedKernel[1];
        cleanup.run(() -> made[0] = create(device, program, name));
        if (made[0] == null) {
            cleanup.run(program::close);
        }
        cleanup.end();
        return made[0];
    }

    private static QueuedKernel create(ClDevice device, ClProgram program, String name) {
        ClApi api = device.api();
        ClQueue queue = device.anotherQueue();
        long handle = 0;
        try {
            handle = program.createKernel(name);
            long width = api.kernelNumber(handle, device.handle(), Cl.KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE);
            return new QueuedKernel(program, queue, handle, Math.clamp(api.kernelNumber(handle, device.handle(), Cl.KERNEL_WORK_GROUP_SIZE), 1, Math.max(1, width)));
        } catch (RuntimeException | Error e) {
            var cleanup = new Cleanup(e);
            long unused = handle;
            if (unused != 0) {
                cleanup.run(() -> api.releaseKernel(unused));
            }
            cleanup.run(queue::release);
            throw e;
        }
    }

    ClQueue queue() {
        return queue;
    }

    long handle() {
        return handle;
    }

    /// Work-items of a group: as many as the device runs in step.
    long items() {
        return items;
    }

    void close(ClApi api) {
        Runnable finish = queue::finish; // all of them before the first is run
        Runnable releaseKernel = () -> {
            api.releaseKernel(handle);
            kernelReleased = true;
        };
        Runnable releaseQueue = () -> {
            queue.release();
            queueReleased = true;
        };
        Runnable closeProgram = program::close;
        var cleanup = new Cleanup();
        if (!queueReleased) {
            cleanup.run(finish);
        }
        if (!kernelReleased) {
            cleanup.run(releaseKernel);
        }
        if (!queueReleased) {
            cleanup.run(releaseQueue);
        }
        cleanup.run(closeProgram).end();
    }
}
