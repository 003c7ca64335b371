package io.github.hmm4j.device;

import java.util.List;

/// Enqueues a kernel from native code, whose arguments are set, and flushes the queue.
@FunctionalInterface
public interface NativeEnqueue {

    /// @param queue  `cl_command_queue`
    /// @param kernel `cl_kernel`
    /// @param offset as long as `global`
    /// @param local  as long as `global`, or empty: the driver chooses
    /// @param copies those of its arguments that are to be copied around it
    /// @param lost   told if the kernel runs, and one of them does not come back
    /// @return a `cl_event` with a reference for the caller, or 0 if the launch did not happen and nothing is wrong
    long enqueue(long queue, long kernel, long[] offset, long[] global, long[] local,
            List<KernelArgument.Copied> copies, LostWrites lost);
}
