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
import java.util.Map;

/// Every 16th page of a segment, beside as many pages that lie together.
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

    BenchRow row() {
        String name = FaultBench.named("discrete.scattered", pageBytes);
        progress.step(name);
        write(apart, 1, 0);
        hmm.heap().prefetch(apart, hmm.device());
        Samples scattered = new Samples();
        Samples contiguous = new Samples();
        for (int run = -sizes.warmUps(); run < sizes.runs(); run++) {
            write(apart, STEP, run);
            write(together, 1, run);
            double apartRate = rate(apart);
            double togetherRate = rate(together);
            if (run >= 0) {
                scattered.add(apartRate);
                contiguous.add(togetherRate);
            }
            progress.update(run + sizes.warmUps(), sizes.runs() + sizes.warmUps());
        }
        requireWritten(apart, STEP, sizes.runs() - 1);
        requireWritten(together, 1, sizes.runs() - 1);
        hmm.heap().free(apart);
        hmm.heap().free(together);
        Samples ratio = scattered.over(contiguous);
        double limit = pageBytes < LARGE_PAGE_BYTES ? 0.5 : 0.8;
        return rows.ratio(name, scattered.median(), "GB/s", ratio, "as many pages that lie together",
            Map.of("pageSizeBytes", pageBytes, "movedBytes", movedBytes, "stepPages", (long) STEP), Target.atLeast(ratio.median(), limit));
    }

    private double rate(MemorySegment segment) {
        long start = System.nanoTime();
        MigrationReport report = hmm.heap().prefetch(segment, hmm.device());
        long nanos = System.nanoTime() - start;
        if (!report.allResident() || report.bytesCopied() != movedBytes) {
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

    /// Brings them home, and they are as they were written.
    private void requireWritten(MemorySegment segment, int step, int seed) {
        hmm.heap().prefetchHost(segment);
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
