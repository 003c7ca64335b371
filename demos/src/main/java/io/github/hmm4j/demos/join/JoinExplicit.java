package io.github.hmm4j.demos.join;

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

/// Joins through bare OpenCL: the hash table goes to the device and stays, the orders follow in blocks, one after the other.
final class JoinExplicit implements AutoCloseable {
    static final int CHUNK = 8192; // rows for each work-item
    private static final long CL_MEM_WRITE_ONLY = 1 << 1;
    private static final long CL_MEM_READ_ONLY = 1 << 2;

    private final ClApi cl;
    private final long queue;
    private final Orders task;
    private final long blockRows;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment probe;
    private final MemorySegment build;
    private final MemorySegment sums;
    private final long bufferProbe;
    private final long bufferBuild;
    private final long bufferSums;
    private final long program;
    private final long joinSums;

    /// @param budgetBytes of device memory
    JoinExplicit(BareOpenCl device, Orders task, long budgetBytes) {
        this.cl = device.api();
        this.queue = device.queue();
        this.task = task;
        long sumsBytes = Math.ceilDiv(task.count(), CHUNK) * Long.BYTES;
        blockRows = Math.min(Math.ceilDiv(task.count(), CHUNK), (budgetBytes - task.buildBytes() - sumsBytes) / (CHUNK * Orders.ROW_BYTES)) * CHUNK;
        if (blockRows < 1) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "budgetBytes=%d, buildBytes=%d: no room for %d rows beside it",
                budgetBytes, task.buildBytes(), CHUNK));
        }
        probe = arena.allocate(task.probeBytes(), Long.BYTES);
        build = arena.allocate(task.buildBytes(), Long.BYTES);
        sums = arena.allocate(sumsBytes, Long.BYTES);
        task.fillProbe(probe);
        task.fillBuild(build);
        bufferProbe = cl.createBuffer(device.context(), CL_MEM_READ_ONLY, blockRows * Orders.ROW_BYTES, 0);
        bufferBuild = cl.createBuffer(device.context(), CL_MEM_READ_ONLY, task.buildBytes(), 0);
        bufferSums = cl.createBuffer(device.context(), CL_MEM_WRITE_ONLY, sumsBytes, 0);
        program = cl.createProgram(device.context(), Source.resource("paged.cl").text());
        if (!cl.build(program, device.device(), "-cl-std=CL1.2")) {
            throw new IllegalStateException(cl.buildLog(program, device.device()));
        }
        joinSums = cl.createKernel(program, "join_sums");
        cl.setMemory(joinSums, 0, bufferProbe);
        cl.setValue(joinSums, 1, arena.allocateFrom(JAVA_LONG, 0)); // the block is all the heap there is
        cl.setValue(joinSums, 2, arena.allocateFrom(JAVA_LONG, 0));
        cl.setMemory(joinSums, 3, bufferBuild);
        cl.setValue(joinSums, 4, arena.allocateFrom(JAVA_INT, task.mask()));
        cl.setMemory(joinSums, 5, bufferSums);
        cl.setValue(joinSums, 7, arena.allocateFrom(JAVA_INT, CHUNK));
    }

    /// Joins and shows one sum for each [#CHUNK] orders to `reader`, which may not keep them.
    void join(Consumer<MemorySegment> reader) {
        cl.enqueueWrite(queue, bufferBuild, 0, build.byteSize(), build.address(), false);
        for (long first = 0; first < task.count(); first += blockRows) {
            joinBlock(first, Math.min(blockRows, task.count() - first));
        }
        reader.accept(sums);
    }

    private void joinBlock(long first, long rows) {
        long items = Math.ceilDiv(rows, CHUNK);
        cl.enqueueWrite(queue, bufferProbe, 0, rows * Orders.ROW_BYTES, probe.address() + first * Orders.ROW_BYTES, false);
        try (Arena values = Arena.ofConfined()) {
            cl.setValue(joinSums, 6, values.allocateFrom(JAVA_LONG, rows));
        }
        long event = cl.enqueueKernel(queue, joinSums, new long[] {items}, new long[] {1});
        cl.enqueueRead(queue, bufferSums, 0, items * Long.BYTES, sums.address() + first / CHUNK * Long.BYTES, false);
        cl.finish(queue);
        cl.waitFor(event);
        int status = cl.eventStatus(event);
        cl.releaseEvent(event);
        ClStatus.check(status, "clEnqueueNDRangeKernel", "kernel=join_sums");
    }

    @Override
    public void close() {
        cl.finish(queue);
        cl.releaseKernel(joinSums);
        cl.releaseProgram(program);
        cl.releaseMemory(bufferProbe);
        cl.releaseMemory(bufferBuild);
        cl.releaseMemory(bufferSums);
        arena.close();
    }
}
