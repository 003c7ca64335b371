package io.github.hmm4j.demos.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.Access;
import io.github.hmm4j.Arg;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.Launch;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;

/// Kernels that go through the page table and find everything there, beside plain kernels with arrays of their own in one piece each.
final class PagedResident {
    private static final Source PLAIN = Source.text("gather_plain.cl", """
        kernel void gather_plain(global const float *table, global const uint *index, global float *out, const ulong count, const uint chunk) {
            const ulong first = (ulong)get_global_id(0) * chunk;
            const ulong end = min(first + chunk, count);
            for (ulong i = first; i < end; i++) {
                out[i] = table[index[i]];
            }
        }
        """);
    private static final int CHUNK = 64;
    private static final long SEED = 7;

    private final Hmm hmm;
    private final PagedBench.Sizes sizes;
    private final Progress progress;

    PagedResident(Hmm hmm, PagedBench.Sizes sizes, Progress progress) {
        this.hmm = hmm;
        this.sizes = sizes;
        this.progress = progress;
    }

    /// @param kernel of paged.cl
    BenchRow stream(String name, String kernel, double limit) throws Exception {
        progress.step(name);
        Scaling paged = Scaling.paged(hmm, kernel, sizes.arrayBytes());
        Scaling plain = Scaling.plain(hmm, sizes.arrayBytes());
        paged.launch();
        plain.launch();
        Turns turns = Turns.take(sizes.warmUps(), sizes.runs(), progress, () -> paged.residentNanos() / 1e6, () -> plain.residentNanos() / 1e6);
        for (Scaling each : new Scaling[] {paged, plain}) {
            each.requireScaled();
            hmm.heap().free(each.in());
            hmm.heap().free(each.out());
        }
        return row(name, turns, "the same with a plain kernel, one work-item for each element", limit, sizes.arrayBytes(), sizes.arrayBytes() / Float.BYTES);
    }

    /// Reads here and there; every work-item looks into the table for each of its values.
    BenchRow gather() throws Exception {
        String name = "paged.gather";
        progress.step(name);
        int tableCount = Math.toIntExact(sizes.gatherBytes() / Float.BYTES);
        MemorySegment pagedTable = table(tableCount);
        MemorySegment plainTable = table(tableCount);
        int[] places = new SplittableRandom(SEED).ints(sizes.gathers(), 0, tableCount).toArray();
        MemorySegment index = hmm.heap().allocate(JAVA_INT, places.length);
        try (HostView view = hmm.heap().view(index, Access.WRITE)) {
            MemorySegment.copy(places, 0, view.segment(), JAVA_INT, 0, places.length);
        }
        MemorySegment out = hmm.heap().allocate(JAVA_FLOAT, places.length);
        long count = places.length;
        Kernel.Call paged = hmm.program(Source.resource("paged.cl")).kernel("gather_values")
            .args(Arg.heap(Arg.in(pagedTable)), pagedTable.address(), index, Arg.out(out), count, CHUNK);
        Kernel.Call plain = hmm.program(PLAIN).kernel("gather_plain").args(plainTable, index, Arg.out(out), count, CHUNK);
        NDRange range = NDRange.of(Math.ceilDiv(count, CHUNK));
        for (Kernel.Call call : new Kernel.Call[] {paged, plain}) {
            call.launch(range).await();
            requireGathered(places, out);
        }
        paged.launch(range).await(); // the output, which was looked at, is on the device again
        Turns turns = Turns.take(sizes.warmUps(), sizes.runs(), progress, () -> millis(paged, range), () -> millis(plain, range));
        return row(name, turns, "the same with a plain kernel", 1.2, sizes.gatherBytes(), count);
    }

    private MemorySegment table(int count) {
        MemorySegment table = hmm.heap().allocate(JAVA_FLOAT, count);
        try (HostView view = hmm.heap().view(table, Access.WRITE)) {
            for (int i = 0; i < count; i++) {
                view.segment().setAtIndex(JAVA_FLOAT, i, (float) i);
            }
        }
        return table;
    }

    private static double millis(Kernel.Call call, NDRange range) {
        long start = System.nanoTime();
        Launch launch = call.launch(range).await();
        double millis = (System.nanoTime() - start) / 1e6;
        if (launch.moves().pagesMoved() != 0) {
            throw new IllegalStateException("a launch on resident data moved something: " + launch.moves());
        }
        return millis;
    }

    private void requireGathered(int[] places, MemorySegment out) {
        float[] expected = new float[places.length];
        for (int i = 0; i < places.length; i++) {
            expected[i] = (float) places[i];
        }
        try (HostView view = hmm.heap().view(out, Access.READ)) {
            int wrong = Arrays.mismatch(view.segment().toArray(JAVA_FLOAT), expected);
            if (wrong >= 0) {
                throw new IllegalStateException(String.format(Locale.ROOT, "element %d=%s, expected=%s",
                    wrong, view.segment().getAtIndex(JAVA_FLOAT, wrong), expected[wrong]));
            }
        }
    }

    private BenchRow row(String name, Turns turns, String baseline, double limit, long lengthBytes, long count) {
        Samples ratio = turns.ratio();
        return Subject.rows(hmm).ratio(name, turns.ours().median(), "ms", ratio, baseline, Map.of("lengthBytes", lengthBytes, "elements", count,
            "plainNanos", Math.round(turns.theirs().median() * 1e6), "pageSizeBytes", (long) hmm.heap().pageSize().bytes()), Target.atMost(ratio.median(), limit));
    }
}
