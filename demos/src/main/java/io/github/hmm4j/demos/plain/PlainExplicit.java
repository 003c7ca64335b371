package io.github.hmm4j.demos.plain;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.demos.device.BareOpenCl;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClStatus;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BiConsumer;

/// The same by hand: some rows at a time, all three kernels over each block. The blur looks at the rows above and below, so each block takes one of its neighbours along on either side.
final class PlainExplicit implements AutoCloseable {
    private static final long CL_MEM_READ_WRITE = 1;

    private final BareOpenCl device;
    private final ClApi cl;
    private final long queue;
    private final long rows;
    private final long blockRows;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment words;
    private final MemorySegment sums;
    private final MemorySegment blurred;
    private final long wordsBuffer;
    private final long noiseBuffer;
    private final long sumsBuffer;
    private final long blurredBuffer;
    private final long map;
    private final long addUp;
    private final long blur;
    private final List<Runnable> releases = new ArrayList<>();

    /// @param budgetBytes of device memory
    PlainExplicit(BareOpenCl device, long rows, long budgetBytes) {
        this.device = device;
        this.cl = device.api();
        this.queue = device.queue();
        this.rows = rows;
        long held = Math.min(rows + 2, budgetBytes / (3 * Picture.ROW_BYTES + Long.BYTES)); // words, noise and blurred, and a sum
        blockRows = held - 2;
        if (blockRows < 1) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "budgetBytes=%d: no room for a row and its neighbours", budgetBytes));
        }
        words = arena.allocate(rows * Picture.ROW_BYTES);
        sums = arena.allocate(JAVA_LONG, rows);
        blurred = arena.allocate(rows * Picture.ROW_BYTES);
        Picture.fill(words);
        wordsBuffer = buffer(held * Picture.ROW_BYTES);
        noiseBuffer = buffer(held * Picture.ROW_BYTES);
        sumsBuffer = buffer(held * Long.BYTES);
        blurredBuffer = buffer(held * Picture.ROW_BYTES);
        long ours = program(Picture.OURS);
        map = kernel(ours, "share_map");
        addUp = kernel(ours, "share_pages");
        blur = kernel(program(Picture.STRANGERS), "blur");
        cl.setMemory(map, 0, wordsBuffer);
        cl.setMemory(map, 1, noiseBuffer);
        cl.setMemory(addUp, 0, noiseBuffer);
        cl.setMemory(addUp, 1, sumsBuffer);
        cl.setValue(addUp, 3, arena.allocateFrom(JAVA_LONG, 1));
        cl.setMemory(blur, 0, noiseBuffer);
        cl.setMemory(blur, 1, blurredBuffer);
        cl.setValue(blur, 2, arena.allocateFrom(JAVA_INT, Picture.ROW_BYTES));
    }

    private long buffer(long lengthBytes) {
        long buffer = cl.createBuffer(device.context(), CL_MEM_READ_WRITE, lengthBytes, 0);
        releases.add(() -> cl.releaseMemory(buffer));
        return buffer;
    }

    private long program(Source source) {
        long program = cl.createProgram(device.context(), source.text());
        releases.add(() -> cl.releaseProgram(program));
        if (!cl.build(program, device.device(), "-cl-std=CL1.2")) {
            throw new IllegalStateException(cl.buildLog(program, device.device()));
        }
        return program;
    }

    private long kernel(long program, String name) {
        long kernel = cl.createKernel(program, name);
        releases.add(() -> cl.releaseKernel(kernel));
        return kernel;
    }

    /// Shows sums and blurred picture to `reader`, which may not keep them.
    void run(BiConsumer<MemorySegment, MemorySegment> reader) {
        for (long first = 0; first < rows; first += blockRows) {
            block(first, Math.min(first + blockRows, rows));
        }
        reader.accept(sums, blurred);
    }

    private void block(long first, long end) {
        long from = Math.max(first - 1, 0); // with its neighbours
        long to = Math.min(end + 1, rows);
        long count = (to - from) * Picture.ROW_WORDS;
        try (Arena values = Arena.ofConfined()) {
            cl.setValue(map, 2, values.allocateFrom(JAVA_LONG, count));
            cl.setValue(addUp, 2, values.allocateFrom(JAVA_LONG, first - from));
            cl.setValue(addUp, 4, values.allocateFrom(JAVA_LONG, end - first));
            cl.setValue(blur, 3, values.allocateFrom(JAVA_INT, (int) (to - from)));
        }
        cl.enqueueWrite(queue, wordsBuffer, 0, (to - from) * Picture.ROW_BYTES, words.address() + from * Picture.ROW_BYTES, false);
        long[] events = {
            cl.enqueueKernel(queue, map, new long[] {count}, new long[0]),
            cl.enqueueKernel(queue, addUp, new long[] {end - first}, new long[0]),
            cl.enqueueKernel(queue, blur, new long[] {Picture.ROW_BYTES, to - from}, new long[0])
        };
        cl.enqueueRead(queue, sumsBuffer, 0, (end - first) * Long.BYTES, sums.address() + first * Long.BYTES, false);
        cl.enqueueRead(queue, blurredBuffer, (first - from) * Picture.ROW_BYTES, (end - first) * Picture.ROW_BYTES, blurred.address() + first * Picture.ROW_BYTES, false);
        cl.finish(queue);
        for (long event : events) {
            cl.waitFor(event);
            int status = cl.eventStatus(event);
            cl.releaseEvent(event);
            ClStatus.check(status, "clEnqueueNDRangeKernel", String.format(Locale.ROOT, "rows=%d..%d", first, end));
        }
    }

    @Override
    public void close() {
        cl.finish(queue);
        releases.reversed().forEach(Runnable::run);
        arena.close();
    }
}
