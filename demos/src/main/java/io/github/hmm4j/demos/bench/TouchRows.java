package io.github.hmm4j.demos.bench;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.report.Progress;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;

/// Managed memory that no device has touched, beside memory of an [Arena]: resident, and fresh.
final class TouchRows {
    private final Hmm hmm;
    private final FaultBench.Sizes sizes;
    private final Progress progress;
    private final Subject.Rows rows;
    private final long pageBytes;

    TouchRows(Hmm hmm, FaultBench.Sizes sizes, Progress progress) {
        this.hmm = hmm;
        this.sizes = sizes;
        this.progress = progress;
        rows = Subject.rows(hmm);
        pageBytes = hmm.heap().pageSize().bytes();
    }

    List<BenchRow> rows() {
        return List.of(resident(), first());
    }

    private BenchRow resident() {
        String name = FaultBench.named("touch.resident", pageBytes);
        progress.step(name);
        try (Arena arena = Arena.ofShared()) {
            MemorySegment managed = hmm.heap().allocate(sizes.bulkBytes(), hmm.heap().pageSize().bytes());
            MemorySegment plain = arena.allocate(sizes.bulkBytes());
            Touch.fill(managed);
            Touch.fill(plain);
            Samples[] millis = inTurns(() -> scanNanos(managed), () -> scanNanos(plain));
            hmm.heap().free(managed);
            return row(name, millis, "the same scan of an Arena segment", 1.02);
        }
    }

    private static long scanNanos(MemorySegment segment) {
        long start = System.nanoTime();
        long sum = Touch.sum(segment);
        long nanos = System.nanoTime() - start;
        Touch.requireSum(sum, Touch.expectedSum(segment.byteSize()));
        return nanos;
    }

    private BenchRow first() {
        String name = FaultBench.named("touch.first", pageBytes);
        progress.step(name);
        Samples[] millis = inTurns(this::firstManagedNanos, () -> firstPlainNanos(sizes.bulkBytes()));
        return row(name, millis, "a fresh Arena segment, which is allocated as zeros", 1.05);
    }

    private long firstManagedNanos() {
        long start = System.nanoTime();
        MemorySegment fresh = hmm.heap().allocate(sizes.bulkBytes(), hmm.heap().pageSize().bytes());
        Touch.writeEntries(fresh);
        long nanos = System.nanoTime() - start;
        Touch.requireEntries(fresh);
        hmm.heap().free(fresh);
        return nanos;
    }

    static long firstPlainNanos(long lengthBytes) {
        try (Arena arena = Arena.ofShared()) {
            long start = System.nanoTime();
            MemorySegment fresh = arena.allocate(lengthBytes);
            Touch.writeEntries(fresh);
            long nanos = System.nanoTime() - start;
            Touch.requireEntries(fresh);
            return nanos;
        }
    }

    /// Measures one, the other, then the other way round.
    private Samples[] inTurns(Timed ours, Timed theirs) {
        Samples[] millis = {new Samples(), new Samples()};
        for (int run = -sizes.warmUps(); run < sizes.runs(); run++) {
            boolean oursFirst = run % 2 == 0;
            double early = (oursFirst ? ours : theirs).nanos() / 1e6;
            double late = (oursFirst ? theirs : ours).nanos() / 1e6;
            if (run >= 0) {
                millis[0].add(oursFirst ? early : late);
                millis[1].add(oursFirst ? late : early);
            }
            progress.update(run + sizes.warmUps(), sizes.runs() + sizes.warmUps());
        }
        return millis;
    }

    private BenchRow row(String name, Samples[] millis, String baseline, double limit) {
        Samples ratio = millis[0].over(millis[1]);
        return rows.ratio(name, millis[0].median(), "ms", ratio, baseline, Map.of("lengthBytes", sizes.bulkBytes(), "pageSizeBytes", pageBytes),
            Target.atMost(ratio.median(), limit));
    }

    private interface Timed {
        long nanos();
    }
}
