package io.github.hmm4j.emulated;

/// The OpenCL calls that can be stopped and made to fail, and the status that they then return. Commands fail with one that does not speak of memory: for that a launch is tried again.
///
/// In the order of the layer's `gpu.h`.
public enum Call {
    CREATE_BUFFER("clCreateBuffer", -4),
    CREATE_SUB_BUFFER("clCreateSubBuffer", -4),
    BUILD_PROGRAM("clBuildProgram", -5),
    CREATE_KERNEL("clCreateKernel", -5),
    READ("clEnqueueReadBuffer", -59),
    WRITE("clEnqueueWriteBuffer", -59),
    COPY("clEnqueueCopyBuffer", -59),
    FILL("clEnqueueFillBuffer", -59),
    LAUNCH("clEnqueueNDRangeKernel", -59),
    MAP("clEnqueueMapBuffer", -59),
    UNMAP("clEnqueueUnmapMemObject", -59);

    private final String function;
    private final int status;

    Call(String function, int status) {
        this.function = function;
        this.status = status;
    }

    /// Its name in OpenCL.
    public String function() {
        return function;
    }

    boolean isCommand() {
        return compareTo(READ) >= 0;
    }

    int status() {
        return status;
    }
}
