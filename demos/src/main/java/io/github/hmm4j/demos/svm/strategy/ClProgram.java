package io.github.hmm4j.demos.svm.strategy;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.demos.device.BareOpenCl;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/// One OpenCL program with its kernels and the events of its launches. Owned by a strategy; one thread.
final class ClProgram implements AutoCloseable {
    private static final int CL_PROFILING_COMMAND_START = 0x1282;
    private static final int CL_PROFILING_COMMAND_END = 0x1283;

    private final BareOpenCl device;
    private final ClApi api;
    private final long program;
    private final Map<String, Long> kernels = new HashMap<>();
    private final MemorySegment number = Arena.ofAuto().allocate(JAVA_LONG);
    private long kernelNanos;

    /// @throws IllegalStateException if it does not compile with any of the options; the message has the compiler's log
    ClProgram(BareOpenCl device, Source source, String... options) {
        this.device = device;
        api = device.api();
        program = api.createProgram(device.context(), source.text());
        String log;
        try {
            for (String each : options) {
                if (api.build(program, device.device(), each)) {
                    return;
                }
            }
            log = api.buildLog(program, device.device());
        } catch (RuntimeException e) {
            api.releaseProgram(program);
            throw e;
        }
        api.releaseProgram(program);
        throw new IllegalStateException("source=" + source.name() + " does not compile: " + log);
    }

    long kernel(String name) {
        return kernels.computeIfAbsent(name, each -> api.createKernel(program, each));
    }

    void setLong(long kernel, int index, long value) {
        number.set(JAVA_LONG, 0, value);
        api.setValue(kernel, index, number);
    }

    void setInt(long kernel, int index, int value) {
        number.set(JAVA_LONG, 0, value); // little-endian: the first four bytes are the value
        api.setValue(kernel, index, number.asSlice(0, Integer.BYTES));
    }

    /// Enqueues without waiting.
    ///
    /// @return the event, for [#await]
    long enqueue(long kernel, long workItems) {
        long event = api.enqueueKernel(device.queue(), kernel, new long[] {workItems}, new long[0]);
        try {
            api.flush(device.queue());
        } catch (RuntimeException e) {
            api.releaseEvent(event);
            throw e;
        }
        return event;
    }

    /// Waits for a kernel, and adds up its time.
    void await(long event) {
        int status;
        try {
            api.waitFor(event);
            status = api.eventStatus(event);
            if (status == 0) {
                kernelNanos += api.eventTime(event, CL_PROFILING_COMMAND_END) - api.eventTime(event, CL_PROFILING_COMMAND_START);
            }
        } finally {
            api.releaseEvent(event);
        }
        if (status != 0) {
            throw new IllegalStateException("a kernel failed on the device: status=" + status);
        }
    }

    long takeKernelNanos() {
        long taken = kernelNanos;
        kernelNanos = 0;
        return taken;
    }

    @Override
    public void close() {
        api.finish(device.queue());
        kernels.values().forEach(api::releaseKernel);
        kernels.clear();
        api.releaseProgram(program);
    }
}
