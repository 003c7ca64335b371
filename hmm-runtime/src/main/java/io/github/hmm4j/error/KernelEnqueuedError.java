package io.github.hmm4j.error;

/// The Java heap ran out right behind an enqueued kernel: the kernel runs, or has run, and all that it writes is kept, but nobody gets a handle on the launch.
///
/// Any other [OutOfMemoryError] of a launch says that the kernel does not run. There is one instance, made before it is needed.
public final class KernelEnqueuedError extends OutOfMemoryError {

    private static final long serialVersionUID = 1;

    @SuppressWarnings("StaticAssignmentOfThrowable") // there is no memory for another when it is needed
    private static final KernelEnqueuedError INSTANCE = new KernelEnqueuedError();

    private KernelEnqueuedError() {
        super("the Java heap is full behind an enqueued kernel, which runs, and what it writes is kept:"
                + " do not launch it again");
    }

    /// Takes nothing from the Java heap.
    public static KernelEnqueuedError get() {
        return INSTANCE;
    }

    /// None: it would be that of the first use.
    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }
}
