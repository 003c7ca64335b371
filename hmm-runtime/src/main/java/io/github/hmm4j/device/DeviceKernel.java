package io.github.hmm4j.device;

import java.util.List;

/// A kernel compiled for one device. Threads: any; concurrent launches do not mix their arguments.
public interface DeviceKernel extends AutoCloseable {

    String name();

    List<KernelParameter> parameters();

    /// Enqueues the kernel behind the launches before it and flushes the queue. A call that throws has enqueued nothing.
    ///
    /// @param arguments one for each parameter, in order; the memory arguments stay alive until the completion is done
    Completion launch(List<KernelArgument> arguments, NDRange range);

    /// Idempotent.
    @Override
    void close();
}
