package io.github.hmm4j.demos.unmodified;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.demos.device.BareOpenCl;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClStatus;
import io.github.hmm4j.kernels.Source;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// Packs numbers into a file and gets them back, through bare OpenCL: a copy before and after each kernel.
final class UnmodifiedExplicit implements AutoCloseable {
    private static final long CL_MEM_READ_WRITE = 1;

    private final ClApi cl;
    private final long queue;
    private final int count;
    private final Libraries libraries;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment values;
    private final MemorySegment planes;
    private final MemorySegment packed;
    private final MemorySegment unpacked;
    private final MemorySegment restored;
    private final long bufferIn;
    private final long bufferOut;
    private final long program;
    private final long shuffle;
    private final long unshuffle;

    UnmodifiedExplicit(BareOpenCl device, int count, Libraries libraries) {
        this.cl = device.api();
        this.queue = device.queue();
        this.count = count;
        this.libraries = libraries;
        values = arena.allocate(JAVA_FLOAT, count);
        planes = arena.allocate(values.byteSize());
        packed = arena.allocate(Libraries.packedBytes(values.byteSize()));
        unpacked = arena.allocate(values.byteSize());
        restored = arena.allocate(values.byteSize());
        bufferIn = cl.createBuffer(device.context(), CL_MEM_READ_WRITE, values.byteSize(), 0);
        bufferOut = cl.createBuffer(device.context(), CL_MEM_READ_WRITE, values.byteSize(), 0);
        program = cl.createProgram(device.context(), Source.resource("shuffle.cl").text());
        if (!cl.build(program, device.device(), "-cl-std=CL1.2")) {
            throw new IllegalStateException(cl.buildLog(program, device.device()));
        }
        shuffle = kernel("shuffle_bytes");
        unshuffle = kernel("unshuffle_bytes");
    }

    private long kernel(String name) {
        long kernel = cl.createKernel(program, name);
        cl.setMemory(kernel, 0, bufferIn);
        cl.setMemory(kernel, 1, bufferOut);
        cl.setValue(kernel, 2, arena.allocateFrom(JAVA_INT, Float.BYTES));
        cl.setValue(kernel, 3, arena.allocateFrom(JAVA_INT, count));
        return kernel;
    }

    void fill(long seed) {
        libraries.fill(values, seed);
    }

    /// Packs the numbers into `file`, and unpacks it.
    Outcome packAndUnpack(Path file) throws IOException {
        run(shuffle, "shuffle_bytes", values, planes);
        long crc = libraries.crc32c(planes);
        MemorySegment packet = packed.asSlice(0, libraries.compress(planes, packed));
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = packet.asByteBuffer();
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        }
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer bytes = packet.asByteBuffer();
            while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
                // on
            }
        }
        libraries.decompress(packet, unpacked);
        run(unshuffle, "unshuffle_bytes", unpacked, restored);
        return new Outcome(crc, packet.byteSize(), libraries.sha256(restored));
    }

    private void run(long kernel, String name, MemorySegment from, MemorySegment to) {
        cl.enqueueWrite(queue, bufferIn, 0, from.byteSize(), from.address(), false);
        long event = cl.enqueueKernel(queue, kernel, new long[] {(count + 63L) / 64 * 64}, new long[] {64});
        cl.enqueueRead(queue, bufferOut, 0, to.byteSize(), to.address(), false);
        cl.finish(queue);
        cl.waitFor(event);
        int status = cl.eventStatus(event);
        cl.releaseEvent(event);
        ClStatus.check(status, "clEnqueueNDRangeKernel", "kernel=" + name);
    }

    @Override
    public void close() {
        cl.finish(queue);
        cl.releaseKernel(shuffle);
        cl.releaseKernel(unshuffle);
        cl.releaseProgram(program);
        cl.releaseMemory(bufferIn);
        cl.releaseMemory(bufferOut);
        arena.close();
    }
}
