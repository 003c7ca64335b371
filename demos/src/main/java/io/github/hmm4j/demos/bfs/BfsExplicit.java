package io.github.hmm4j.demos.bfs;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.demos.device.BareOpenCl;
import io.github.hmm4j.demos.graph.CsrGraph;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClStatus;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/// Searches a graph through bare OpenCL, one launch a level; the flag is copied there and back each time.
final class BfsExplicit implements BfsSearch {
    private static final long CL_MEM_READ_WRITE = 1;
    private static final long CL_MEM_READ_ONLY = 1 << 2;

    private final ClApi cl;
    private final long queue;
    private final int n;
    private final CsrGraph graph;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment depth;
    private final MemorySegment changed;
    private final long bufferRow;
    private final long bufferCol;
    private final long bufferDepth;
    private final long bufferChanged;
    private final long program;
    private final long bfsLevel;

    BfsExplicit(BareOpenCl device, CsrGraph graph) {
        this.cl = device.api();
        this.queue = device.queue();
        this.n = graph.vertexCount();
        this.graph = graph;
        depth = arena.allocate(JAVA_INT, n);
        changed = arena.allocate(JAVA_INT);
        bufferRow = cl.createBuffer(device.context(), CL_MEM_READ_ONLY, graph.rowOffsets().byteSize(), 0);
        bufferCol = cl.createBuffer(device.context(), CL_MEM_READ_ONLY,
            Math.max(Integer.BYTES, graph.columns().byteSize()), 0);
        bufferDepth = cl.createBuffer(device.context(), CL_MEM_READ_WRITE, depth.byteSize(), 0);
        bufferChanged = cl.createBuffer(device.context(), CL_MEM_READ_WRITE, changed.byteSize(), 0);
        program = cl.createProgram(device.context(), Source.resource("bfs.cl").text());
        if (!cl.build(program, device.device(), "-cl-std=CL1.2")) {
            throw new IllegalStateException(cl.buildLog(program, device.device()));
        }
        bfsLevel = cl.createKernel(program, "bfs_level");
        cl.setMemory(bfsLevel, 0, bufferRow);
        cl.setMemory(bfsLevel, 1, bufferCol);
        cl.setMemory(bfsLevel, 2, bufferDepth);
        cl.setMemory(bfsLevel, 3, bufferChanged);
        cl.setValue(bfsLevel, 5, arena.allocateFrom(JAVA_INT, n));
    }

    @Override
    public void search(int source, Consumer<MemorySegment> reader) {
        depth.fill((byte) BfsLevels.UNREACHED);
        depth.setAtIndex(JAVA_INT, source, 0);
        write(bufferRow, graph.rowOffsets());
        if (graph.edgeCount() > 0) {
            write(bufferCol, graph.columns());
        }
        write(bufferDepth, depth);
        int level = 0;
        do {
            changed.set(JAVA_INT, 0, 0);
            write(bufferChanged, changed);
            launch(level++);
            read(bufferChanged, changed);
        } while (changed.get(JAVA_INT, 0) != 0);
        read(bufferDepth, depth);
        reader.accept(depth);
    }

    private void write(long buffer, MemorySegment from) {
        cl.enqueueWrite(queue, buffer, 0, from.byteSize(), from.address(), false);
    }

    private void read(long buffer, MemorySegment to) {
        cl.enqueueRead(queue, buffer, 0, to.byteSize(), to.address(), false);
        cl.finish(queue);
    }

    private void launch(int level) {
        try (Arena values = Arena.ofConfined()) {
            cl.setValue(bfsLevel, 4, values.allocateFrom(JAVA_INT, level));
        }
        long event = cl.enqueueKernel(queue, bfsLevel, new long[] {(n + 63L) / 64 * 64}, new long[] {64});
        cl.waitFor(event);
        int status = cl.eventStatus(event);
        cl.releaseEvent(event);
        ClStatus.check(status, "clEnqueueNDRangeKernel", "kernel=bfs_level");
    }

    @Override
    public void close() {
        cl.finish(queue);
        cl.releaseKernel(bfsLevel);
        cl.releaseProgram(program);
        cl.releaseMemory(bufferRow);
        cl.releaseMemory(bufferCol);
        cl.releaseMemory(bufferDepth);
        cl.releaseMemory(bufferChanged);
        arena.close();
    }
}
