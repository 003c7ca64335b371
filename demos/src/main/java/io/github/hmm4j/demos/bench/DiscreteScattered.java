package io.github.hmm4j.demos.bench;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.Access;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.migrate.MigrationReport;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// Every 16th page of a segment, beside as many pages that lie together: to the device, and home.
final class DiscreteScattered {
    private static final int STEP = 16;
    private static final long LARGE_PAGE_BYTES = 64 << 10;

    private final Hmm hmm;
    private final DiscreteBench.Sizes sizes;
    private final Progress progress;
    private final Subject.Rows rows;
    private final long pageBytes;
    private final long movedBytes;
    private final MemorySegment apart;
    private final MemorySegment together;

    DiscreteScattered(Hmm hmm, DiscreteBench.Sizes sizes, Progress progress, Subject.Rows rows) {
        this.hmm = hmm;
        this.sizes = sizes;
        this.progress = progress;
        this.rows = rows;
        pageBytes = hmm.heap().pageSize().bytes();
        movedBytes = sizes.scatteredPages() * pageBytes;
        apart = hmm.heap().allocate(STEP * movedBytes, hmm.heap().pageSize().bytes());
        together = hmm.heap().allocate(movedBytes, hmm.heap().pageSize().bytes());
    }

    List<BenchRow> rows() {
        progress.step(named("discrete.scattered"));
        Rates out = new Rates();
        Rates home = new Rates();
        write(apart, 1, 0);
        for (int run = -sizes.warmUps(); run < sizes.runs(); run++) {
            hmm.heap().prefetch(apart, hmm.device()); // so that nothing is missing there but what is written next
            write(apart, STEP, run);
            write(together, 1, run);
            out.add(run, rate(apart, this::toDevice), rate(together, this::toDevice));
            hmm.heap().prefetchHost(apart);
            for (long offset = 0; offset < apart.byteSize(); offset += STEP * pageBytes) {
                hmm.heap().prefetch(apart.asSlice(offset, pageBytes), hmm.device());
            }
            home.add(run, rate(apart, hmm.heap()::prefetchHost), rate(together, hmm.heap()::prefetchHost));
            requireWritten(apart, STEP, run);
            requireWritten(together, 1, run);
            progress.update(run + sizes.warmUps(), sizes.runs() + sizes.warmUps());
        }
        hmm.heap().free(apart);
        hmm.heap().free(together);
        return List.of(row("discrete.scattered", out), row("discrete.gathered", home));
    }

    private static final class Rates {
        private final Samples scattered = new Samples();
        private final Samples contiguous = new Samples();

        void add(int run, double apartRate, double togetherRate) {
            if (run >= 0) {
                scattered.add(apartRate);
                contiguous.add(togetherRate);
            }
        }
    }

    private String named(String name) {
        return FaultBench.named(name, pageBytes);
    }

    private BenchRow row(String name, Rates rates) {
        Samples ratio = rates.scattered.over(rates.contiguous);
        double limit = pageBytes < LARGE_PAGE_BYTES ? 0.5 : 0.8;
        return rows.ratio(named(name), rates.scattered.median(), "GB/s", ratio, "as many pages that lie together",
            Map.of("pageSizeBytes", pageBytes, "movedBytes", movedBytes, "stepPages", (long) STEP), Target.atLeast(ratio.median(), limit));
    }

    private MigrationReport toDevice(MemorySegment segment) {
        MigrationReport report = hmm.heap().prefetch(segment, hmm.device());
        if (!report.allResident()) {
            throw new IllegalStateException("expected all of it on the device: " + report);
        }
        return report;
    }

    private double rate(MemorySegment segment, Function<MemorySegment, MigrationReport> move) {
        long start = System.nanoTime();
        MigrationReport report = move.apply(segment);
        long nanos = System.nanoTime() - start;
        if (report.bytesCopied() != movedBytes) {
            throw new IllegalStateException("expected " + movedBytes + " bytes to move, but: " + report);
        }
        return (double) movedBytes / nanos;
    }

    private void write(MemorySegment segment, int step, int seed) {
        for (long offset = 0; offset < segment.byteSize(); offset += step * pageBytes) {
            try (HostView view = hmm.heap().view(segment.asSlice(offset, pageBytes), Access.WRITE)) {
                for (long i = 0; i < pageBytes; i += JAVA_LONG.byteSize()) {
                    view.segment().set(JAVA_LONG, i, pattern(offset + i, seed));
                }
            }
        }
    }

    private void requireWritten(MemorySegment segment, int step, int seed) {
        for (long offset = 0; offset < segment.byteSize(); offset += step * pageBytes) {
            for (long i = 0; i < pageBytes; i += JAVA_LONG.byteSize()) {
                if (segment.get(JAVA_LONG, offset + i) != pattern(offset + i, seed)) {
                    throw new IllegalStateException("wrong bytes after migration: offset=" + (offset + i));
                }
            }
        }
    }

    private static long pattern(long offset, int seed) {
        return (offset + 1) * 0x9E3779B97F4A7C15L + seed;
    }
}
