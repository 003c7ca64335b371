package io.github.hmm4j.device.opencl;

import io.github.hmm4j.kernels.Source;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A kernel of ours on a queue of its own, where it stands behind no kernel of the program.
abstract class QueuedKernel extends Owned {

    final ClApi api;
    private final ClProgram program;
    private final String name;
    private @Nullable ClQueue queue;
    private long handle;
    private long items;

    QueuedKernel(ClDevice device, String source, String name) {
        super(device);
        this.api = device.api();
        this.program = new ClProgram(device, Source.resource(source), "-cl-std=CL1.2");
        this.name = name;
    }

    /// Compiles it, which may take long.
    ///
    /// @throws io.github.hmm4j.error.HmmException if the device does not take it
    @Override
    void make() {
        device.keep(program);
        queue = device.anotherQueue();
        handle = program.createKernel(name);
        long width = api.kernelNumber(handle, device.handle(), Cl.KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE);
        items = Math.clamp(api.kernelNumber(handle, device.handle(), Cl.KERNEL_WORK_GROUP_SIZE), 1, Math.max(1, width));
    }

    final ClQueue queue() {
        return Objects.requireNonNull(queue);
    }

    final long handle() {
        return handle;
    }

    /// Work-items of a group: as many as the device runs in step.
    final long items() {
        return items;
    }

    @Override
    void release() {
        Runnable finish = () -> queue().finish(); // all of them before the first is run
        Runnable releaseKernel = () -> {
            api.releaseKernel(handle);
            handle = 0;
        };
        Runnable releaseQueue = () -> {
            queue().release();
            queue = null;
        };
        Runnable closeProgram = program::close;
        var cleanup = new Cleanup();
        if (queue != null) {
            cleanup.run(finish);
        }
        if (handle != 0) {
            cleanup.run(releaseKernel);
        }
        if (queue != null) {
            cleanup.run(releaseQueue);
        }
        cleanup.run(closeProgram).end();
    }
}
