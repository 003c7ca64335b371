package io.github.hmm4j.demos.bench;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.migrate.MigrationReport;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Whole segments over the bus: there, back, and both at once.
final class DiscreteMoves {
    private static final String PINNED = "pinned transfers of 2 MiB";

    private final Hmm hmm;
    private final DiscreteBench.Sizes sizes;
    private final Progress progress;
    private final Subject.Rows rows;
    private final PinnedTransfers pinned;
    private final MemorySegment there;
    private final MemorySegment back;
    private final long expectedSum;

    DiscreteMoves(Hmm hmm, BareOpenCl bare, DiscreteBench.Sizes sizes, Progress progress, Subject.Rows rows) {
        this.hmm = hmm;
        this.sizes = sizes;
        this.progress = progress;
        this.rows = rows;
        pinned = new PinnedTransfers(bare);
        there = hmm.heap().allocate(sizes.bulkBytes(), hmm.heap().pageSize().bytes());
        back = hmm.heap().allocate(sizes.bulkBytes(), hmm.heap().pageSize().bytes());
        expectedSum = Touch.expectedSum(sizes.bulkBytes());
    }

    List<BenchRow> rows() throws InterruptedException, ExecutionException {
        Touch.fill(there);
        Touch.fill(back);
        Samples toDevice = new Samples();
        Samples toHost = new Samples();
        Samples pinnedToDevice = new Samples();
        Samples pinnedToHost = new Samples();
        Samples duplex = new Samples();
        Samples longer = new Samples();
        progress.step("discrete moves");
        try (ExecutorService other = Executors.newSingleThreadExecutor()) {
            for (int run = -sizes.warmUps(); run < sizes.runs(); run++) {
                long up = nanos(this::prefetch, there);
                long pinnedUp = pinned.toDevice(sizes.bulkBytes());
                long down = nanos(this::fetch, there);
                long pinnedDown = pinned.toHost(sizes.bulkBytes());
                nanos(this::prefetch, back);
                long start = System.nanoTime();
                Future<Long> homeward = other.submit(() -> nanos(this::fetch, back));
                nanos(this::prefetch, there);
                homeward.get();
                long both = System.nanoTime() - start;
                nanos(this::fetch, there);
                if (run >= 0) {
                    toDevice.add(rate(up));
                    toHost.add(rate(down));
                    pinnedToDevice.add(rate(pinnedUp));
                    pinnedToHost.add(rate(pinnedDown));
                    duplex.add(both / 1e6);
                    longer.add(Math.max(up, down) / 1e6);
                }
                progress.update(run + sizes.warmUps(), sizes.runs() + sizes.warmUps());
            }
        }
        Touch.requireSum(Touch.sum(there), expectedSum);
        Touch.requireSum(Touch.sum(back), expectedSum);
        Samples ratio = duplex.over(longer);
        return List.of(bandwidth("discrete.h2d", toDevice, pinnedToDevice), bandwidth("discrete.d2h", toHost, pinnedToHost),
            rows.ratio("discrete.duplex", duplex.median(), "ms", ratio, "the longer of the two alone", facts(), Target.atMost(ratio.median(), 1.15)));
    }

    private BenchRow bandwidth(String name, Samples rates, Samples pinnedRates) {
        Samples ratio = rates.over(pinnedRates);
        return rows.ratio(name, rates.median(), "GB/s", ratio, PINNED, facts(), Target.atLeast(ratio.median(), 0.95));
    }

    private Map<String, Long> facts() {
        return Map.of("lengthBytes", sizes.bulkBytes(), "pageSizeBytes", (long) hmm.heap().pageSize().bytes());
    }

    private double rate(long nanos) {
        return (double) sizes.bulkBytes() / nanos;
    }

    private MigrationReport prefetch(MemorySegment segment) {
        return hmm.heap().prefetch(segment, hmm.device());
    }

    private MigrationReport fetch(MemorySegment segment) {
        return hmm.heap().prefetchHost(segment);
    }

    private interface Move {
        MigrationReport of(MemorySegment segment);
    }

    private long nanos(Move move, MemorySegment segment) {
        long start = System.nanoTime();
        MigrationReport report = move.of(segment);
        long nanos = System.nanoTime() - start;
        if (!report.allResident() || report.bytesCopied() != sizes.bulkBytes()) {
            throw new IllegalStateException("expected " + sizes.bulkBytes() + " bytes to move, but: " + report);
        }
        return nanos;
    }
}
