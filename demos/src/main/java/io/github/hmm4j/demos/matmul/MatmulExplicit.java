package io.github.hmm4j.demos.matmul;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.demos.device.BareOpenCl;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClStatus;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/// Multiplies matrices through bare OpenCL: three arrays on the host, three buffers on the device, three copies.
final class MatmulExplicit implements AutoCloseable {
    private static final long CL_MEM_WRITE_ONLY = 1 << 1;
    private static final long CL_MEM_READ_ONLY = 1 << 2;

    private final ClApi cl;
    private final long queue;
    private final int n;
    private final long bytes;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment r;
    private final MemorySegment a;
    private final MemorySegment b;
    private final long bufferR;
    private final long bufferA;
    private final long bufferB;
    private final long program;
    private final long mulMat;

    MatmulExplicit(BareOpenCl device, int n) {
        this.cl = device.api();
        this.queue = device.queue();
        this.n = n;
        bytes = (long) n * n * Float.BYTES;
        r = arena.allocate(JAVA_FLOAT, (long) n * n);
        a = arena.allocate(JAVA_FLOAT, (long) n * n);
        b = arena.allocate(JAVA_FLOAT, (long) n * n);
        bufferR = cl.createBuffer(device.context(), CL_MEM_WRITE_ONLY, bytes, 0);
        bufferA = cl.createBuffer(device.context(), CL_MEM_READ_ONLY, bytes, 0);
        bufferB = cl.createBuffer(device.context(), CL_MEM_READ_ONLY, bytes, 0);
        program = cl.createProgram(device.context(), Source.resource("matmul.cl").text());
        if (!cl.build(program, device.device(), "-cl-std=CL1.2")) {
            throw new IllegalStateException(cl.buildLog(program, device.device()));
        }
        mulMat = cl.createKernel(program, "mul_mat");
    }

    void fill(long seedA, long seedB) {
        Matrices.fill(a, seedA);
        Matrices.fill(b, seedB);
    }

    /// Multiplies and shows the product to `reader`, which may not keep it.
    void multiply(Consumer<MemorySegment> reader) {
        cl.enqueueWrite(queue, bufferA, 0, bytes, a.address(), false);
        cl.enqueueWrite(queue, bufferB, 0, bytes, b.address(), false);
        cl.setMemory(mulMat, 0, bufferR);
        cl.setMemory(mulMat, 1, bufferA);
        cl.setMemory(mulMat, 2, bufferB);
        try (Arena values = Arena.ofConfined()) {
            cl.setValue(mulMat, 3, values.allocateFrom(JAVA_INT, n));
        }
        long edge = (n + 63L) / 64 * 8;
        long event = cl.enqueueKernel(queue, mulMat, new long[] {edge, edge}, new long[] {8, 8});
        cl.enqueueRead(queue, bufferR, 0, bytes, r.address(), false);
        cl.finish(queue);
        cl.waitFor(event);
        int status = cl.eventStatus(event);
        cl.releaseEvent(event);
        ClStatus.check(status, "clEnqueueNDRangeKernel", "kernel=mul_mat");
        reader.accept(r);
    }

    @Override
    public void close() {
        cl.finish(queue);
        cl.releaseKernel(mulMat);
        cl.releaseProgram(program);
        cl.releaseMemory(bufferR);
        cl.releaseMemory(bufferA);
        cl.releaseMemory(bufferB);
        arena.close();
    }
}
