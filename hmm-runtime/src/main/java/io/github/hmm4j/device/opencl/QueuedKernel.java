package io.github.hmm4j.device.opencl;

import io.github.hmm4j.kernels.Source;

/// A kernel of ours on a queue of its own, where it stands behind no kernel of the program.
///
/// @param items work-items of a group: as many as the device runs in step
record QueuedKernel(ClProgram program, ClQueue queue, long handle, long items) {

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

    void close(ClApi api) {
        Runnable finish = queue::finish; // all of them before the first is run: where the Java heap is full this is called again
        Runnable releaseKernel = () -> api.releaseKernel(handle);
        Runnable releaseQueue = queue::release;
        Runnable closeProgram = program::close;
        new Cleanup().run(finish).run(releaseKernel).run(releaseQueue).run(closeProgram).end();
    }
}
