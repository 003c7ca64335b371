package io.github.hmm4j.demos.bfs;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.demos.device.BareOpenCl;
import io.github.hmm4j.demos.graph.CsrGraph;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClStatus;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.function.Consumer;

/// Searches a graph that the device cannot hold, through bare OpenCL: depths and flag stay there, and the graph is sent in blocks of vertices with their edges, all of it for each level.
final class BfsBlocksExplicit implements BfsSearch {
    private static final long CL_MEM_READ_WRITE = 1;
    private static final long CL_MEM_READ_ONLY = 1 << 2;

    private final ClApi cl;
    private final long queue;
    private final CsrGraph graph;
    private final int n;
    private final long blockBytes;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment depth;
    private final MemorySegment changed;
    private final long bufferBlock;
    private final long bufferDepth;
    private final long bufferChanged;
    private final long program;
    private final long bfsLevel;

    /// @param budgetBytes of device memory
    BfsBlocksExplicit(BareOpenCl device, CsrGraph graph, long budgetBytes) {
        this.cl = device.api();
        this.queue = device.queue();
        this.graph = graph;
        n = graph.vertexCount();
        depth = arena.allocate(JAVA_INT, n);
        changed = arena.allocate(JAVA_INT);
        blockBytes = budgetBytes - depth.byteSize() - changed.byteSize();
        if (blockBytes < blockBytes(0, 1)) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "budgetBytes=%d, depthBytes=%d: no room for a vertex beside them",
                budgetBytes, depth.byteSize()));
        }
        bufferBlock = cl.createBuffer(device.context(), CL_MEM_READ_ONLY, blockBytes, 0);
        bufferDepth = cl.createBuffer(device.context(), CL_MEM_READ_WRITE, depth.byteSize(), 0);
        bufferChanged = cl.createBuffer(device.context(), CL_MEM_READ_WRITE, changed.byteSize(), 0);
        program = cl.createProgram(device.context(), Source.resource("paged.cl").text());
        if (!cl.build(program, device.device(), "-cl-std=CL1.2")) {
            throw new IllegalStateException(cl.buildLog(program, device.device()));
        }
        bfsLevel = cl.createKernel(program, "bfs_level_paged");
        cl.setMemory(bfsLevel, 0, bufferBlock);
        cl.setValue(bfsLevel, 1, arena.allocateFrom(JAVA_LONG, 0)); // the block is all the heap there is
        cl.setMemory(bfsLevel, 4, bufferDepth);
        cl.setMemory(bfsLevel, 5, bufferChanged);
    }

    private long firstEdge(int vertex) {
        return graph.rowOffsets().getAtIndex(JAVA_LONG, vertex);
    }

    private static long rowBytes(int vertices) {
        return (vertices + 1L) * Long.BYTES;
    }

    private long blockBytes(int first, int end) {
        return rowBytes(end - first) + (firstEdge(end) - firstEdge(first)) * Integer.BYTES;
    }

    @Override
    public void search(int source, Consumer<MemorySegment> reader) {
        depth.fill((byte) BfsLevels.UNREACHED);
        depth.setAtIndex(JAVA_INT, source, 0);
        cl.enqueueWrite(queue, bufferDepth, 0, depth.byteSize(), depth.address(), false);
        int level = 0;
        do {
            changed.set(JAVA_INT, 0, 0);
            cl.enqueueWrite(queue, bufferChanged, 0, changed.byteSize(), changed.address(), false);
            for (int first = 0, end; first < n; first = end) {
                end = endOfBlock(first);
                takeBlock(level, first, end);
            }
            level++;
            read(bufferChanged, changed);
        } while (changed.get(JAVA_INT, 0) != 0);
        read(bufferDepth, depth);
        reader.accept(depth);
    }

    private int endOfBlock(int first) {
        int end = first + 1;
        while (end < n && blockBytes(first, end + 1) <= blockBytes) {
            end++;
        }
        if (blockBytes(first, end) > blockBytes) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "vertex %d with its edges has %d bytes, and a block %d",
                first, blockBytes(first, end), blockBytes));
        }
        return end;
    }

    /// Offsets first, then edges; the kernel is told where the arrays would begin if the device had all of them.
    private void takeBlock(int level, int first, int end) {
        long rows = rowBytes(end - first);
        long edges = (firstEdge(end) - firstEdge(first)) * Integer.BYTES;
        cl.enqueueWrite(queue, bufferBlock, 0, rows, graph.rowOffsets().address() + (long) first * Long.BYTES, false);
        if (edges > 0) {
            cl.enqueueWrite(queue, bufferBlock, rows, edges, graph.columns().address() + firstEdge(first) * Integer.BYTES, false);
        }
        try (Arena values = Arena.ofConfined()) {
            cl.setValue(bfsLevel, 2, values.allocateFrom(JAVA_LONG, -(long) first * Long.BYTES));
            cl.setValue(bfsLevel, 3, values.allocateFrom(JAVA_LONG, rows - firstEdge(first) * Integer.BYTES));
            cl.setValue(bfsLevel, 6, values.allocateFrom(JAVA_INT, level));
            cl.setValue(bfsLevel, 7, values.allocateFrom(JAVA_INT, first));
            cl.setValue(bfsLevel, 8, values.allocateFrom(JAVA_INT, end - first));
        }
        long event = cl.enqueueKernel(queue, bfsLevel, new long[] {(end - first + 63L) / 64 * 64}, new long[] {64});
        cl.finish(queue);
        cl.waitFor(event);
        int status = cl.eventStatus(event);
        cl.releaseEvent(event);
        ClStatus.check(status, "clEnqueueNDRangeKernel", "kernel=bfs_level_paged");
    }

    private void read(long buffer, MemorySegment to) {
        cl.enqueueRead(queue, buffer, 0, to.byteSize(), to.address(), false);
        cl.finish(queue);
    }

    @Override
    public void close() {
        cl.finish(queue);
        cl.releaseKernel(bfsLevel);
        cl.releaseProgram(program);
        cl.releaseMemory(bufferBlock);
        cl.releaseMemory(bufferDepth);
        cl.releaseMemory(bufferChanged);
        arena.close();
    }
}
