package io.github.hmm4j.device;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A kernel compiled for one device. Threads: any; concurrent launches do not mix their arguments.
public interface DeviceKernel extends AutoCloseable {

    String name();

    List<KernelParameter> parameters();

    /// What it can be launched with here.
    KernelLimits limits();

    /// Enqueues the kernel behind the launches before it and flushes the queue. A call that throws has enqueued nothing.
    ///
    /// @param arguments one for each parameter, in order; the memory arguments stay alive until the completion is done
    /// @throws IllegalArgumentException if arguments or range do not fit the kernel, or its [#limits()]
    Completion launch(List<KernelArgument> arguments, NDRange range);

    /// Like [#launch(List, NDRange)], but native code does the last step and may refuse it.
    ///
    /// @return null if `enqueue` refused; then nothing was enqueued
    /// @throws IllegalStateException if the device has no [Device#nativeHandles()]
    default @Nullable Completion launch(List<KernelArgument> arguments, NDRange range, NativeEnqueue enqueue) {
        throw new IllegalStateException("kernel=" + name() + " cannot be enqueued by native code");
    }

    /// Idempotent.
    @Override
    void close();
}
