package io.github.hmm4j.demos.bench;

import io.github.hmm4j.demos.device.PagesAlone;
import io.github.hmm4j.demos.harness.Bench;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.harness.RunContext;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.Snapshot;
import io.github.hmm4j.mirror.SnapshotCode;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.page.Transition;
import io.github.hmm4j.space.PageRange;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// How fast one thread reads the page table: for a snapshot, and for the plan of a migration.
///
/// The table holds pages in runs of random length and state, as a heap has them whose data is partly on a device. No device takes part: the words are all there is.
final class PagesBench implements Bench {
    private static final int LONGEST_RUN = 64;
    private static final long SEED = 7;

    private final Sizes sizes;

    record Sizes(int pages, int warmUps, int runs) {
        static final Sizes FULL = new Sizes(1_000_000, 30, 101);
    }

    PagesBench(Sizes sizes) {
        this.sizes = sizes;
    }

    @Override
    public String name() {
        return "pages";
    }

    @Override
    public String question() {
        return "How many pages a second does one core look at?";
    }

    @Override
    public List<BenchRow> run(RunContext context) {
        try (PagesAlone alone = new PagesAlone(sizes.pages)) {
            ManagedPages heap = alone.heap();
            DeviceMirror mirror = alone.mirror();
            PageRange pages = alone.pages();
            long missing = fill(alone, pages);
            Samples snapshot = new Samples();
            Samples plan = new Samples();
            for (int run = -sizes.warmUps; run < sizes.runs; run++) {
                long start = System.nanoTime();
                Snapshot taken = heap.snapshot(PagesAlone.DEVICE, pages);
                long middle = System.nanoTime();
                List<PageRange> planned = mirror.missing(pages, false);
                long end = System.nanoTime();
                check(taken, planned, missing);
                if (run >= 0) {
                    snapshot.add(pages.count() * 1e9 / (middle - start));
                    plan.add(pages.count() * 1e9 / (end - middle));
                }
                context.progress().update(run + sizes.warmUps, sizes.runs + sizes.warmUps);
            }
            Subject.Rows rows = Subject.rows(mirror.device().info());
            Map<String, Long> what = Map.of("pages", pages.count(), "missingPages", missing);
            return List.of(
                rows.value("pages.snapshot", snapshot, "pages/s", "none", what, Target.atLeast(snapshot.median(), 1e8)),
                rows.value("pages.plan", plan, "pages/s", "none", what, Target.atLeast(plan.median(), 2e7)));
        }
    }

    /// Returns how many pages the device cannot read.
    private static long fill(PagesAlone alone, PageRange pages) {
        SplittableRandom random = new SplittableRandom(SEED);
        long missing = 0;
        long page = pages.first();
        while (page < pages.end()) {
            long end = Math.min(pages.end(), page + random.nextInt(1, LONGEST_RUN + 1));
            int state = random.nextInt(4);
            missing += state < 2 ? end - page : 0;
            for (; page < end; page++) {
                switch (state) {
                    case 0 -> {} // stays empty
                    case 1 -> alone.table().transition(page, Transition.FIRST_TOUCH, 0, PageWord.toHost(0));
                    default -> alone.moveToDevice(page, state == 2);
                }
            }
        }
        return missing;
    }

    /// Both passes must agree with what was filled in, page by page.
    private static void check(Snapshot snapshot, List<PageRange> planned, long missing) {
        long count = 0;
        for (PageRange range : planned) {
            count += range.count();
            for (long page = range.first(); page < range.end(); page++) {
                SnapshotCode code = snapshot.at(page);
                if (code != SnapshotCode.NONE && code != SnapshotCode.WRITE) {
                    throw new IllegalStateException("page=" + page + " is planned for migration, snapshot=" + code);
                }
            }
        }
        if (count != missing) {
            throw new IllegalStateException("plannedPages=" + count + ", missingPages=" + missing);
        }
    }
}
