package io.github.hmm4j.demos.bench;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.Report;
import io.github.hmm4j.account.Direction;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.Map;

/// A buffer that fills the budget and a flag of one page, changed by kernels in turns: one page is always in the way.
///
/// The least that can move in a round: for the flag one page of the buffer goes and the flag comes; for the buffer
/// the flag goes and that page comes back.
final class OnePageShort {
    private static final int ROUNDS = 10;
    private static final int PAGES_PER_ROUND = 4;

    private final Hmm hmm;
    private final CliffBench.Sizes sizes;
    private final Progress progress;
    private final long pageBytes;
    private final MemorySegment buffer;
    private final MemorySegment flag;
    private final Kernel.Call changeBuffer;
    private final Kernel.Call changeFlag;
    private int added;

    OnePageShort(Hmm hmm, CliffBench.Sizes sizes, Progress progress) {
        this.hmm = hmm;
        this.sizes = sizes;
        this.progress = progress;
        pageBytes = hmm.heap().pageSize().bytes();
        buffer = hmm.heap().allocate(sizes.budgetPages() * pageBytes, pageBytes);
        flag = hmm.heap().allocate(Integer.BYTES);
        Kernel add = hmm.program(Source.resource("access.cl")).kernel("add_ints");
        changeBuffer = add.args(buffer, 1, Math.toIntExact(buffer.byteSize() / Integer.BYTES));
        changeFlag = add.args(flag, 1, 1);
    }

    BenchRow row() {
        progress.step("cliff.one_page_short");
        Samples moved = new Samples();
        for (int run = -sizes.warmUps(); run < sizes.runs(); run++) {
            Report before = hmm.report();
            for (int round = 0; round < ROUNDS; round++) {
                changeBuffer.launch(NDRange.of(buffer.byteSize() / Integer.BYTES)).await();
                changeFlag.launch(NDRange.of(1)).await();
                added++;
            }
            Report since = hmm.report().since(before);
            if (run >= 0) {
                moved.add((double) since.bytes(Direction.TO_DEVICE) + since.bytes(Direction.TO_HOST));
            }
            progress.update(run + sizes.warmUps(), sizes.runs() + sizes.warmUps());
        }
        requireChanged();
        Samples ratio = moved.dividedBy((double) ROUNDS * PAGES_PER_ROUND * pageBytes);
        return Subject.rows(hmm).ratio("cliff.one_page_short", moved.median(), "bytes", ratio,
            "two pages out and two pages in for each round",
            Map.of("budgetBytes", sizes.budgetPages() * pageBytes, "pageSizeBytes", pageBytes,
                "roundsPerRun", (long) ROUNDS),
            Target.atMost(ratio.median(), 1.2));
    }

    private void requireChanged() {
        if (flag.get(JAVA_INT, 0) != added) {
            throw new IllegalStateException(String.format(Locale.ROOT, "flag=%d, expected=%d",
                flag.get(JAVA_INT, 0), added));
        }
        for (long i = 0; i < buffer.byteSize() / Integer.BYTES; i++) {
            if (buffer.getAtIndex(JAVA_INT, i) != added) {
                throw new IllegalStateException(String.format(Locale.ROOT, "element %d=%d, expected=%d",
                    i, buffer.getAtIndex(JAVA_INT, i), added));
            }
        }
    }
}
