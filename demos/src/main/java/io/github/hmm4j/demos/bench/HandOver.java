package io.github.hmm4j.demos.bench;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.Access;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/// What goes to a kernel and comes back at once, so that nothing is saved by leaving it where it is: an int; an input
/// that is overwritten.
final class HandOver {
    private static final Source KERNELS = Source.resource("access.cl");
    /// Takes its input as if it could write it.
    private static final Source COPY = Source.text("copy_plain.cl", """
        kernel void copy_plain(global int *in, global int *out, const uint n) {
            const size_t i = get_global_id(0);
            if (i < n) {
                out[i] = in[i];
            }
        }
        """);
    private static final int ROUNDS = 20;

    private final Hmm hmm;
    private final BareOpenCl bare;
    private final CliffBench.Sizes sizes;
    private final Progress progress;
    private final Kernel add;
    private final Kernel copy;
    private final long explicitAdd;
    private final long explicitCopy;
    private final int count;
    /// Written in turns, as a whole: a loop over the elements would measure what the compiler makes of it.
    private final int[][] contents;
    private final int[] result;
    private int seed;

    HandOver(Hmm hmm, BareOpenCl bare, CliffBench.Sizes sizes, Progress progress) {
        this.hmm = hmm;
        this.bare = bare;
        this.sizes = sizes;
        this.progress = progress;
        add = hmm.program(KERNELS).kernel("add_ints");
        copy = hmm.program(COPY).kernel("copy_plain").reads("in").writes("out");
        explicitAdd = bare.kernel(KERNELS, "add_ints");
        explicitCopy = bare.kernel(COPY, "copy_plain");
        count = Math.toIntExact(sizes.streamBytes() / Integer.BYTES);
        contents = new int[][] {IntStream.range(0, count).toArray(), IntStream.range(1, count + 1).toArray()};
        result = new int[count];
    }

    /// The host writes an int, a kernel changes it, the host reads it.
    BenchRow flag() throws Exception {
        progress.step("cliff.flag");
        MemorySegment flag = hmm.heap().allocate(Integer.BYTES);
        Kernel.Call call = add.args(flag, 1, 1);
        long buffer = bare.buffer(Long.BYTES); // a fill takes no less
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment plain = arena.allocate(JAVA_INT);
            Turns turns = Turns.take(sizes.warmUps(), sizes.runs(), progress,
                () -> microsOfARound(flag, () -> call.launch(NDRange.of(1)).await()),
                () -> microsOfARound(plain, () -> addExplicitly(buffer, plain)));
            hmm.heap().free(flag);
            Samples ratio = turns.ratio();
            return Subject.rows(hmm).ratio("cliff.flag", turns.ours().median(), "us", ratio,
                "writing, launching and reading through bare OpenCL",
                facts(Integer.BYTES, turns, 1e3), Target.atMost(ratio.median(), 2));
        }
    }

    private double microsOfARound(MemorySegment flag, Runnable addOne) {
        long start = System.nanoTime();
        for (int i = 0; i < ROUNDS; i++) {
            int written = seed++;
            flag.set(JAVA_INT, 0, written);
            addOne.run();
            if (flag.get(JAVA_INT, 0) != written + 1) {
                throw new IllegalStateException(String.format(Locale.ROOT, "flag=%d, expected=%d",
                    flag.get(JAVA_INT, 0), written + 1));
            }
        }
        return (System.nanoTime() - start) / 1e3 / ROUNDS;
    }

    private void addExplicitly(long buffer, MemorySegment value) {
        bare.api().enqueueWrite(bare.queue(), buffer, 0, Integer.BYTES, value.address(), false);
        bare.api().setMemory(explicitAdd, 0, buffer);
        bare.setInt(explicitAdd, 1, 1);
        bare.setInt(explicitAdd, 2, 1);
        bare.launch(explicitAdd, NDRange.of(1));
        bare.api().enqueueRead(bare.queue(), buffer, 0, Integer.BYTES, value.address(), false);
        bare.finish();
    }

    private void copyExplicitly(MemorySegment in, MemorySegment out, long from, long to) {
        bare.api().enqueueWrite(bare.queue(), from, 0, sizes.streamBytes(), in.address(), false);
        bare.api().setMemory(explicitCopy, 0, from);
        bare.api().setMemory(explicitCopy, 1, to);
        bare.setInt(explicitCopy, 2, count);
        bare.launch(explicitCopy, NDRange.of(count));
        bare.api().enqueueRead(bare.queue(), to, 0, sizes.streamBytes(), out.address(), false);
        bare.finish();
    }

    /// An input is overwritten again and again, of which the signature does not say that it is only read: what the
    /// device has of it is not worth a copy.
    BenchRow refill() throws Exception {
        return refill("cliff.refill", this::fill, this::read);
    }

    /// The same by views, which reach host memory through a mapping that stays.
    BenchRow refillByViews() throws Exception {
        return refill("cliff.refill.views", segment -> {
            try (HostView view = hmm.heap().view(segment, Access.WRITE)) {
                return fill(view.segment());
            }
        }, segment -> {
            try (HostView view = hmm.heap().view(segment, Access.READ)) {
                read(view.segment());
            }
        });
    }

    private BenchRow refill(String name, ToIntFunction<MemorySegment> fillManaged, Consumer<MemorySegment> readManaged) throws Exception {
        progress.step(name);
        MemorySegment in = hmm.heap().allocate(sizes.streamBytes());
        MemorySegment out = hmm.heap().allocate(sizes.streamBytes());
        Kernel.Call call = copy.args(in, out, count);
        long from = bare.buffer(sizes.streamBytes());
        long to = bare.buffer(sizes.streamBytes());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment plainIn = arena.allocate(sizes.streamBytes(), Integer.BYTES);
            MemorySegment plainOut = arena.allocate(sizes.streamBytes(), Integer.BYTES);
            Turns turns = Turns.take(sizes.warmUps(), sizes.runs(), progress,
                () -> millisOf(() -> fillManaged.applyAsInt(in), () -> call.launch(NDRange.of(count)).await(), () -> readManaged.accept(out)),
                () -> millisOf(() -> fill(plainIn), () -> copyExplicitly(plainIn, plainOut, from, to), () -> read(plainOut)));
            hmm.heap().free(in);
            hmm.heap().free(out);
            Samples ratio = turns.ratio();
            return Subject.rows(hmm).ratio(name, turns.ours().median(), "ms", ratio,
                "the same with two buffers and two copies",
                facts(sizes.streamBytes(), turns, 1e6), Target.atMost(ratio.median(), 1.1));
        }
    }

    private double millisOf(IntSupplier fill, Runnable launch, Runnable read) {
        long begin = System.nanoTime();
        int which = fill.getAsInt();
        launch.run();
        read.run();
        double millis = (System.nanoTime() - begin) / 1e6;
        requireRead(which);
        return millis;
    }

    private int fill(MemorySegment segment) {
        int which = seed++ & 1;
        MemorySegment.copy(contents[which], 0, segment, JAVA_INT, 0, count);
        return which;
    }

    private void read(MemorySegment segment) {
        MemorySegment.copy(segment, JAVA_INT, 0, result, 0, count);
    }

    private void requireRead(int which) {
        if (!Arrays.equals(result, contents[which])) {
            throw new IllegalStateException("wrong element: index=" + Arrays.mismatch(result, contents[which]));
        }
    }

    /// @param nanosPerUnit of the samples
    private Map<String, Long> facts(long lengthBytes, Turns turns, double nanosPerUnit) {
        return new TreeMap<>(Map.of("lengthBytes", lengthBytes, "pageSizeBytes", (long) hmm.heap().pageSize().bytes(),
            "explicitNanos", Math.round(turns.theirs().median() * nanosPerUnit)));
    }
}
