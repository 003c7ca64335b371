package io.github.hmm4j.demos.stream;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.demos.device.BareOpenCl;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClStatus;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.function.Consumer;

/// Streams through bare OpenCL: block by block, half of the buffer for what goes in and half for what comes out.
final class StreamExplicit implements AutoCloseable {
    private static final long CL_MEM_READ_WRITE = 1;
    private static final int CHUNK = 4096;

    private final ClApi cl;
    private final long queue;
    private final long count;
    private final long block; // elements
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment in;
    private final MemorySegment out;
    private final long buffer;
    private final long program;
    private final long scaleRuns;

    /// @param budgetBytes of device memory
    StreamExplicit(BareOpenCl device, long count, long budgetBytes) {
        this.cl = device.api();
        this.queue = device.queue();
        this.count = count;
        block = Math.min(count, budgetBytes / (2 * Float.BYTES));
        if (block < 1) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "budgetBytes=%d: no room for an element to go in and one to come out",
                budgetBytes));
        }
        in = arena.allocate(JAVA_FLOAT, count);
        out = arena.allocate(JAVA_FLOAT, count);
        Numbers.fill(in);
        buffer = cl.createBuffer(device.context(), CL_MEM_READ_WRITE, 2 * block * Float.BYTES, 0);
        program = cl.createProgram(device.context(), Source.resource("paged.cl").text());
        if (!cl.build(program, device.device(), "-cl-std=CL1.2")) {
            throw new IllegalStateException(cl.buildLog(program, device.device()));
        }
        scaleRuns = cl.createKernel(program, "scale_runs");
        cl.setMemory(scaleRuns, 0, buffer);
        cl.setValue(scaleRuns, 1, arena.allocateFrom(JAVA_LONG, 0)); // the buffer is all the heap there is
        cl.setValue(scaleRuns, 2, arena.allocateFrom(JAVA_LONG, 0));
        cl.setValue(scaleRuns, 3, arena.allocateFrom(JAVA_LONG, block * Float.BYTES));
        cl.setValue(scaleRuns, 5, arena.allocateFrom(JAVA_INT, CHUNK));
        cl.setValue(scaleRuns, 6, arena.allocateFrom(JAVA_FLOAT, Numbers.FACTOR));
        cl.setValue(scaleRuns, 7, arena.allocateFrom(JAVA_FLOAT, Numbers.SUMMAND));
    }

    /// Streams and shows the result to `reader`, which may not keep it.
    void stream(Consumer<MemorySegment> reader) {
        for (long first = 0; first < count; first += block) {
            stream(first, Math.min(block, count - first));
        }
        reader.accept(out);
    }

    private void stream(long first, long length) {
        try (Arena values = Arena.ofConfined()) {
            cl.setValue(scaleRuns, 4, values.allocateFrom(JAVA_LONG, length));
        }
        cl.enqueueWrite(queue, buffer, 0, length * Float.BYTES, in.address() + first * Float.BYTES, false);
        long event = cl.enqueueKernel(queue, scaleRuns, new long[] {Math.ceilDiv(length, CHUNK)}, new long[] {1});
        cl.enqueueRead(queue, buffer, block * Float.BYTES, length * Float.BYTES, out.address() + first * Float.BYTES, false);
        cl.finish(queue);
        cl.waitFor(event);
        int status = cl.eventStatus(event);
        cl.releaseEvent(event);
        ClStatus.check(status, "clEnqueueNDRangeKernel", "kernel=scale_runs");
    }

    @Override
    public void close() {
        cl.finish(queue);
        cl.releaseKernel(scaleRuns);
        cl.releaseProgram(program);
        cl.releaseMemory(buffer);
        arena.close();
    }
}
