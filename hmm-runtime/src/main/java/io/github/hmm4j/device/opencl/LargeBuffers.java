package io.github.hmm4j.device.opencl;

import io.github.hmm4j.error.HmmException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Buffers larger than the largest allocation that a driver reports. Those of Intel report 4 GiB for GPUs, whose kernels then get by with 32-bit offsets, and give more to who asks twice:
/// with a flag for each buffer, and with an option for each program whose kernels work in them (intel/compute-runtime, `programmers-guide/ALLOCATIONS_GREATER_THAN_4GB.md`).
final class LargeBuffers {

    /// `CL_MEM_ALLOW_UNRESTRICTED_SIZE_INTEL`.
    static final long FLAG = 1 << 23;

    static final String BUILD_OPTION = "-cl-intel-greater-than-4GB-buffer-required";

    private static final Logger LOG = LoggerFactory.getLogger(LargeBuffers.class);
    private static final long MORE_BYTES = 4096;

    private LargeBuffers() {}

    /// Whether the driver does both: tried, since no extension says so. Takes that much of the device's memory for a moment.
    static boolean areGivenBy(ClApi api, long context, ClDeviceId id) {
        long mostBytes = id.info().maxAllocationBytes();
        if (mostBytes + MORE_BYTES > id.info().memoryBytes()) {
            return false; // nothing is lacking
        }
        try {
            api.releaseMemory(api.createBuffer(context, Cl.MEM_READ_WRITE | FLAG, mostBytes + MORE_BYTES, 0));
            long program = api.createProgram(context, "kernel void nothing(global int *a) { }");
            boolean built;
            try {
                built = api.build(program, id.device(), BUILD_OPTION);
            } finally {
                api.releaseProgram(program);
            }
            return built;
        } catch (HmmException e) {
            LOG.debug("no larger buffers", e);
            return false;
        }
    }
}
