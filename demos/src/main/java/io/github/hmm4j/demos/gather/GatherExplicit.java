package io.github.hmm4j.demos.gather;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.demos.device.BareOpenCl;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClStatus;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/// Gathers rows through bare OpenCL: the table goes to the device in blocks, one after the other, as far as anybody asks for them, and what was asked for is put back into its order.
final class GatherExplicit implements AutoCloseable {
    private static final long CL_MEM_WRITE_ONLY = 1 << 1;
    private static final long CL_MEM_READ_ONLY = 1 << 2;

    private final ClApi cl;
    private final long queue;
    private final int[] rows;
    private final int count;
    private final int blockRows;
    private final Integer[] order; // in which the rows lie in the table
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment table;
    private final MemorySegment inBlock; // rows of one block, counted from its first
    private final MemorySegment some;
    private final MemorySegment out;
    private final long bufferBlock;
    private final long bufferRows;
    private final long bufferOut;
    private final long program;
    private final long gatherRows;

    /// @param budgetBytes of device memory
    GatherExplicit(BareOpenCl device, Rows task, long budgetBytes) {
        this.cl = device.api();
        this.queue = device.queue();
        rows = task.chosen();
        count = rows.length;
        long forBlock = Math.min(task.tableBytes(), budgetBytes - task.gatheredBytes() - (long) count * Integer.BYTES);
        blockRows = Math.toIntExact(forBlock / Rows.ROW_BYTES);
        if (blockRows < 1) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "budgetBytes=%d, gatheredBytes=%d: no room for a row of the table",
                budgetBytes, task.gatheredBytes()));
        }
        order = IntStream.range(0, count).boxed().toArray(Integer[]::new);
        table = arena.allocate(task.tableBytes(), Float.BYTES);
        inBlock = arena.allocate(JAVA_INT, count);
        some = arena.allocate(JAVA_FLOAT, (long) count * Rows.WIDTH);
        out = arena.allocate(JAVA_FLOAT, (long) count * Rows.WIDTH);
        Rows.fill(table);
        bufferBlock = cl.createBuffer(device.context(), CL_MEM_READ_ONLY, blockRows * Rows.ROW_BYTES, 0);
        bufferRows = cl.createBuffer(device.context(), CL_MEM_READ_ONLY, inBlock.byteSize(), 0);
        bufferOut = cl.createBuffer(device.context(), CL_MEM_WRITE_ONLY, out.byteSize(), 0);
        program = cl.createProgram(device.context(), Source.resource("paged.cl").text());
        if (!cl.build(program, device.device(), "-cl-std=CL1.2")) {
            throw new IllegalStateException(cl.buildLog(program, device.device()));
        }
        gatherRows = cl.createKernel(program, "gather_rows");
        cl.setMemory(gatherRows, 0, bufferBlock);
        cl.setValue(gatherRows, 1, arena.allocateFrom(JAVA_LONG, 0)); // the block is all the heap there is
        cl.setValue(gatherRows, 2, arena.allocateFrom(JAVA_LONG, 0));
        cl.setMemory(gatherRows, 3, bufferRows);
        cl.setMemory(gatherRows, 4, bufferOut);
        cl.setValue(gatherRows, 5, arena.allocateFrom(JAVA_INT, Rows.WIDTH));
    }

    /// Gathers and shows the rows to `reader`, which may not keep them.
    void gather(Consumer<MemorySegment> reader) {
        Arrays.sort(order, Comparator.comparingInt(place -> rows[place]));
        for (int first = 0, end; first < count; first = end) {
            int block = rows[order[first]] / blockRows;
            end = first;
            while (end < count && rows[order[end]] / blockRows == block) {
                inBlock.setAtIndex(JAVA_INT, end - first, rows[order[end]] % blockRows);
                end++;
            }
            gatherFrom(block, end - first);
            for (int i = first; i < end; i++) {
                MemorySegment.copy(some, (i - first) * Rows.ROW_BYTES, out, order[i] * Rows.ROW_BYTES, Rows.ROW_BYTES);
            }
        }
        reader.accept(out);
    }

    private void gatherFrom(int block, int asked) {
        long at = block * (long) blockRows * Rows.ROW_BYTES;
        long bytes = Math.min(blockRows * Rows.ROW_BYTES, table.byteSize() - at);
        cl.enqueueWrite(queue, bufferBlock, 0, bytes, table.address() + at, false);
        cl.enqueueWrite(queue, bufferRows, 0, (long) asked * Integer.BYTES, inBlock.address(), false);
        long event = cl.enqueueKernel(queue, gatherRows, new long[] {asked}, new long[] {1});
        cl.enqueueRead(queue, bufferOut, 0, asked * Rows.ROW_BYTES, some.address(), false);
        cl.finish(queue);
        cl.waitFor(event);
        int status = cl.eventStatus(event);
        cl.releaseEvent(event);
        ClStatus.check(status, "clEnqueueNDRangeKernel", "kernel=gather_rows");
    }

    @Override
    public void close() {
        cl.finish(queue);
        cl.releaseKernel(gatherRows);
        cl.releaseProgram(program);
        cl.releaseMemory(bufferBlock);
        cl.releaseMemory(bufferRows);
        cl.releaseMemory(bufferOut);
        arena.close();
    }
}
