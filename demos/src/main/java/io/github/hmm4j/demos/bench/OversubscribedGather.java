package io.github.hmm4j.demos.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.Access;
import io.github.hmm4j.Arg;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.Report;
import io.github.hmm4j.account.Cause;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;

/// Rows of a table that is eight times the budget, on one page in a hundred: counted is what moves of the table, in time nothing.
final class OversubscribedGather {
    private static final int ROW_FLOATS = 256;
    private static final int ROWS_PER_PAGE = 4;
    private static final int SHARE = 100;
    private static final long SEED = 13;

    private final Hmm hmm;
    private final PagedBench.Sizes sizes;
    private final Progress progress;
    private final int pageRows;
    private final int touchedPages;
    private final SplittableRandom random = new SplittableRandom(SEED);
    private final MemorySegment table;
    private final MemorySegment rows;
    private final MemorySegment out;

    OversubscribedGather(Hmm hmm, PagedBench.Sizes sizes, Progress progress) {
        this.hmm = hmm;
        this.sizes = sizes;
        this.progress = progress;
        pageRows = hmm.heap().pageSize().bytes() / (ROW_FLOATS * Float.BYTES);
        touchedPages = Math.max(1, Math.toIntExact(sizes.tableBytes() / hmm.heap().pageSize().bytes() / SHARE));
        table = hmm.heap().allocate(sizes.tableBytes(), hmm.heap().pageSize().bytes());
        rows = hmm.heap().allocate(JAVA_INT, (long) touchedPages * ROWS_PER_PAGE);
        out = hmm.heap().allocate(JAVA_FLOAT, (long) touchedPages * ROWS_PER_PAGE * ROW_FLOATS);
        try (HostView view = hmm.heap().view(table, Access.WRITE)) {
            for (long i = 0; i < sizes.tableBytes() / Float.BYTES; i++) {
                view.segment().setAtIndex(JAVA_FLOAT, i, valueOf(i));
            }
        }
    }

    private static float valueOf(long element) {
        return (float) (element % 10_007);
    }

    BenchRow row() {
        String name = "oversub.gather";
        progress.step(name);
        Kernel.Call gather = hmm.program(Source.resource("paged.cl")).kernel("gather_rows").args(Arg.heap(Arg.in(table)), table.address(), rows, Arg.out(out), ROW_FLOATS);
        Samples moved = new Samples();
        Samples millis = new Samples();
        for (int run = -sizes.warmUps(); run < sizes.runs(); run++) {
            hmm.heap().prefetchHost(table);
            int[] chosen = choose();
            Report before = hmm.report();
            long start = System.nanoTime();
            gather.launch(NDRange.of(chosen.length)).await();
            double took = (System.nanoTime() - start) / 1e6;
            Report since = hmm.report().since(before);
            if (run >= 0) {
                millis.add(took);
                moved.add((double) since.moves().stream().filter(each -> each.cause() == Cause.DEVICE_FAULT || each.cause() == Cause.EVICTION).mapToLong(Report.Moved::bytes).sum());
            }
            requireGathered(chosen);
            progress.update(run + sizes.warmUps(), sizes.runs() + sizes.warmUps());
        }
        long touchedBytes = hmm.heap().pageSize().bytesFor(touchedPages);
        Samples ratio = moved.dividedBy((double) touchedBytes);
        return Subject.rows(hmm).ratio(name, moved.median(), "bytes", ratio, "the pages that were touched", Map.of("tableBytes", sizes.tableBytes(), "budgetBytes", hmm.device().budgetBytes(),
            "touchedBytes", touchedBytes, "rows", (long) touchedPages * ROWS_PER_PAGE, "elapsedNanos", Math.round(millis.median() * 1e6), "pageSizeBytes", (long) hmm.heap().pageSize().bytes()),
            Target.atMost(ratio.median(), 1.2));
    }

    /// Rows of different pages, in random order.
    private int[] choose() {
        int pages = Math.toIntExact(sizes.tableBytes() / hmm.heap().pageSize().bytes());
        int[] chosen = random.ints(0, pages).distinct().limit(touchedPages).flatMap(page -> random.ints(ROWS_PER_PAGE, 0, pageRows).map(row -> page * pageRows + row)).toArray();
        try (HostView view = hmm.heap().view(rows, Access.WRITE)) {
            MemorySegment.copy(chosen, 0, view.segment(), JAVA_INT, 0, chosen.length);
        }
        return chosen;
    }

    private void requireGathered(int[] chosen) {
        try (HostView view = hmm.heap().view(out, Access.READ)) {
            for (int i = 0; i < chosen.length * ROW_FLOATS; i++) {
                float expected = valueOf((long) chosen[i / ROW_FLOATS] * ROW_FLOATS + i % ROW_FLOATS);
                float found = view.segment().getAtIndex(JAVA_FLOAT, i);
                if (found != expected) {
                    throw new IllegalStateException(String.format(Locale.ROOT, "element %d=%s, expected=%s",
                        i, found, expected));
                }
            }
        }
    }
}
