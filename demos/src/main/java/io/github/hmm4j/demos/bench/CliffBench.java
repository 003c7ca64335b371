package io.github.hmm4j.demos.bench;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.demos.harness.Bench;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.DeviceChoice;
import io.github.hmm4j.demos.harness.RunContext;
import java.util.ArrayList;
import java.util.List;

/// Places where managed memory once cost a multiple of what the same costs otherwise: each beside the explicit
/// program, or beside the same without the cliff.
///
/// Memory is touched directly, so this fails where the heap has checked access only.
final class CliffBench implements Bench {
    /// Pages of these sizes are what two rows are about; of the others the command line decides.
    private static final long SMALL_PAGE_BYTES = ByteSize.kib(4);
    private static final long LARGE_PAGE_BYTES = ByteSize.mib(2);
    /// Room for the arrays of every row but the largest.
    private static final long HEAP_BYTES = ByteSize.mib(256);

    private final Sizes sizes;

    /// @param gridEdge      of the stencil's arrays, a power of two: that is what makes corresponding elements meet
    ///     in a cache
    /// @param streamBytes   that go in and come out once
    /// @param budgetPages   which a buffer fills, before there is a flag beside it
    /// @param largePages    of 2 MiB, read and written one by one
    /// @param residentBytes of one argument at 4 KiB pages
    /// @param residentLaunches with it in one run, of each kind in turns
    record Sizes(int gridEdge, long streamBytes, int budgetPages, int largePages, long residentBytes, int residentLaunches,
        int warmUps, int runs) {
        static final Sizes FULL = new Sizes(128, ByteSize.mib(16), 64, 32, ByteSize.gib(1), 1000, 10, 41);
    }

    CliffBench(Sizes sizes) {
        this.sizes = sizes;
    }

    @Override
    public String name() {
        return "cliffs";
    }

    @Override
    public String question() {
        return "What do the awkward cases cost, beside the same without what makes them awkward?";
    }

    @Override
    public List<BenchRow> run(RunContext context) throws Exception {
        FaultBench.requireDirectAccess(context.device(), name());
        List<BenchRow> rows = new ArrayList<>();
        try (Hmm hmm = heap(context).open(); BareOpenCl bare = BareOpenCl.beside(hmm)) {
            rows.add(new AlignmentCliff(hmm, bare, sizes, context.progress()).row());
        }
        rows.add(onePageShort(context));
        try (Hmm hmm = heap(context).open(); BareOpenCl bare = BareOpenCl.beside(hmm)) {
            HandOver handOver = new HandOver(hmm, bare, sizes, context.progress());
            rows.addAll(List.of(handOver.flag(), handOver.refill(), handOver.refillByViews()));
        }
        rows.add(new StreamOnce(() -> heap(context), sizes, context.progress()).row());
        HmmBuilder largePages =
            Subject.heap(withPageSize(context, LARGE_PAGE_BYTES), 4L * sizes.largePages * LARGE_PAGE_BYTES);
        try (Hmm hmm = largePages.faultAround(0).open()) {
            rows.add(new UpgradeCliff(hmm, sizes, context.progress()).row());
        }
        HmmBuilder large =
            Subject.heap(withPageSize(context, SMALL_PAGE_BYTES), sizes.residentBytes + ByteSize.mib(16));
        try (Hmm hmm = large.open(); BareOpenCl bare = BareOpenCl.beside(hmm)) {
            rows.add(new LargeResidentLaunch(hmm, bare, sizes, context.progress()).row());
        }
        return rows;
    }

    private HmmBuilder heap(RunContext context) {
        return Subject.heap(context.device(), Math.max(HEAP_BYTES, 8 * sizes.streamBytes));
    }

    private BenchRow onePageShort(RunContext context) throws Exception {
        try (Hmm sizing = heap(context).open()) { // the budget is in pages, whose size only a heap knows
            long pageBytes = sizing.heap().pageSize().bytes();
            DeviceChoice tight = context.device().withBudget(sizes.budgetPages * pageBytes).withPageSize(pageBytes);
            try (Hmm hmm = Subject.heap(tight, 4L * sizes.budgetPages * pageBytes).open()) {
                return new OnePageShort(hmm, sizes, context.progress()).row();
            }
        }
    }

    private static DeviceChoice withPageSize(RunContext context, long pageBytes) {
        return context.device().withPageSize(pageBytes);
    }
}
