package io.github.hmm4j.demos.bench;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.Arg;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/// An array is filled, goes through a kernel, and what comes out is read: once in the life of all memory that takes
/// part. Counted is what all threads of the process worked.
///
/// Either side has a heap or buffers of its own for each run, and nothing that was used before: memory that was
/// touched already costs a fraction.
final class StreamOnce {
    private static final Source KERNELS = Source.resource("access.cl");

    /// Each opens a heap.
    private static final int WARM_UPS = 3;
    private static final int RUNS = 15;

    private final Supplier<HmmBuilder> heap;
    private final CliffBench.Sizes sizes;
    private final Progress progress;
    private final int count;
    private final int[] contents;
    private final int[] result;
    private final Samples managedMillis = new Samples();
    private final Samples explicitMillis = new Samples();

    StreamOnce(Supplier<HmmBuilder> heap, CliffBench.Sizes sizes, Progress progress) {
        this.heap = heap;
        this.sizes = sizes;
        this.progress = progress;
        count = Math.toIntExact(sizes.streamBytes() / Integer.BYTES);
        contents = IntStream.range(0, count).toArray();
        result = new int[count];
    }

    BenchRow row() throws Exception {
        progress.step("cliff.stream_once");
        FreshMemory.always();
        try (Hmm beside = heap.get().open()) {
            Turns turns = Turns.take(Math.min(sizes.warmUps(), WARM_UPS), Math.min(sizes.runs(), RUNS), progress,
                this::managedCpuMillis, () -> explicitCpuMillis(beside));
            Map<String, Long> facts = new TreeMap<>(Map.of("lengthBytes", sizes.streamBytes(),
                "pageSizeBytes", (long) beside.heap().pageSize().bytes()));
            facts.put("explicitNanos", Math.round(turns.theirs().median() * 1e6));
            facts.put("elapsedNanos", Math.round(managedMillis.median() * 1e6));
            facts.put("explicitElapsedNanos", Math.round(explicitMillis.median() * 1e6));
            Samples ratio = turns.ratio();
            return Subject.rows(beside).ratio("cliff.stream_once", turns.ours().median(), "ms", ratio,
                "CPU time of the same with two buffers and two copies",
                facts, Target.atMost(ratio.median(), 1.25));
        }
    }

    private double managedCpuMillis() {
        try (Hmm hmm = heap.get().open()) {
            Kernel copy = hmm.program(KERNELS).kernel("copy_ints");
            MemorySegment little = hmm.heap().allocate(Integer.BYTES);
            MemorySegment unused = hmm.heap().allocate(Integer.BYTES);
            copy.args(little, Arg.out(unused), 1).launch(NDRange.of(1)).await(); // loads the kernel
            return cpuMillis(() -> {
                MemorySegment in = hmm.heap().allocate(sizes.streamBytes());
                MemorySegment out = hmm.heap().allocate(sizes.streamBytes());
                MemorySegment.copy(contents, 0, in, JAVA_INT, 0, count);
                copy.args(in, Arg.out(out), count).launch(NDRange.of(count)).await();
                MemorySegment.copy(out, JAVA_INT, 0, result, 0, count);
                hmm.heap().free(in);
                hmm.heap().free(out);
            }, managedMillis);
        }
    }

    private double explicitCpuMillis(Hmm beside) throws Exception {
        try (BareOpenCl bare = BareOpenCl.beside(beside)) {
            long copy = bare.kernel(KERNELS, "copy_ints");
            long little = bare.buffer(Long.BYTES);
            launch(bare, copy, little, little, 1);
            return cpuMillis(() -> {
                try (Arena arena = Arena.ofConfined();
                    BareOpenCl.Buffers buffers = bare.buffers(sizes.streamBytes(), 2)) {
                    MemorySegment in = arena.allocate(sizes.streamBytes(), Integer.BYTES);
                    MemorySegment out = arena.allocate(sizes.streamBytes(), Integer.BYTES);
                    MemorySegment.copy(contents, 0, in, JAVA_INT, 0, count);
                    bare.api().enqueueWrite(bare.queue(), buffers.get(0), 0, sizes.streamBytes(), in.address(), false);
                    launch(bare, copy, buffers.get(0), buffers.get(1), count);
                    bare.api().enqueueRead(bare.queue(), buffers.get(1), 0, sizes.streamBytes(), out.address(), false);
                    bare.finish();
                    MemorySegment.copy(out, JAVA_INT, 0, result, 0, count);
                }
            }, explicitMillis);
        }
    }

    private static void launch(BareOpenCl bare, long copy, long from, long to, int items) {
        bare.api().setMemory(copy, 0, from);
        bare.api().setMemory(copy, 1, to);
        bare.setInt(copy, 2, items);
        bare.launch(copy, NDRange.of(items));
    }

    private double cpuMillis(Runnable work, Samples elapsedMillis) {
        Arrays.fill(result, -1);
        long start = System.nanoTime();
        long cpu = CpuTime.nanos();
        work.run();
        double millis = (CpuTime.nanos() - cpu) / 1e6;
        elapsedMillis.add((System.nanoTime() - start) / 1e6);
        if (!Arrays.equals(result, contents)) {
            throw new IllegalStateException("wrong element: index=" + Arrays.mismatch(result, contents));
        }
        return millis;
    }
}
