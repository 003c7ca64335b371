package io.github.hmm4j.device.sim;

import io.github.hmm4j.error.OpenClFailedException;

/// What a simulated device can be asked to do, and made to fail at. All but [#WAIT] fail when they are asked for. Commands fail with a status that does not speak of memory: for that a launch is tried again.
public enum Operation {
    ALLOC("clCreateBuffer", -4, "CL_MEM_OBJECT_ALLOCATION_FAILURE"),
    SLICE("clCreateSubBuffer", -4, "CL_MEM_OBJECT_ALLOCATION_FAILURE"),
    COPY_TO_DEVICE("clEnqueueCopyBuffer", -59, "CL_INVALID_OPERATION"),
    COPY_TO_HOST("clEnqueueCopyBuffer", -59, "CL_INVALID_OPERATION"),
    COPY_ON_DEVICE("clEnqueueCopyBuffer", -59, "CL_INVALID_OPERATION"),
    ZERO("clEnqueueFillBuffer", -59, "CL_INVALID_OPERATION"),
    BUILD("clBuildProgram", -5, "CL_OUT_OF_RESOURCES"),
    KERNEL("clCreateKernel", -5, "CL_OUT_OF_RESOURCES"),
    LAUNCH("clEnqueueNDRangeKernel", -59, "CL_INVALID_OPERATION"),
    /// A copy, fill or launch was accepted, and its completion fails. Counted when the work is submitted, so the count
    /// does not depend on threads.
    WAIT("clWaitForEvents", -14, "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST");

    private final String call;
    private final int status;
    private final String statusName;

    Operation(String call, int status, String statusName) {
        this.call = call;
        this.status = status;
        this.statusName = statusName;
    }

    /// The OpenCL call it stands for.
    public String call() {
        return call;
    }

    OpenClFailedException failure(String detail) {
        return new OpenClFailedException(call, status, statusName, detail);
    }
}
