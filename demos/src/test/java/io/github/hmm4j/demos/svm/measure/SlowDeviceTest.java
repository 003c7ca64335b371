package io.github.hmm4j.demos.svm.measure;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.demos.svm.Cell;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.strategy.Managed;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy;
import io.github.hmm4j.demos.svm.verdict.Grid;
import io.github.hmm4j.demos.svm.verdict.Ranking;
import io.github.hmm4j.demos.svm.verdict.Verdict;
import io.github.hmm4j.demos.svm.work.Works;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Would the report lie? Two heaps do the same work under the names of two strategies, and one of them is made slow: it must lose, whichever it is.
class SlowDeviceTest {
    private static final long SIZE = ByteSize.kib(64);
    private static final Schedule SCHEDULE = new Schedule(List.of(SIZE), Statistics.FEWEST, 0.05, Duration.ofMillis(200), Duration.ofMillis(5), Duration.ofSeconds(2), SIZE);
    private static final long LAUNCH_NANOS = 1_000_000;
    private static final long DELAY_NANOS = 50_000_000;

    /// Nothing but launches takes time here: on a machine that does something else as well, both might be slow by the real one.
    private final AtomicLong clock = new AtomicLong();

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theSlowOneLoses(boolean slowCopies) {
        Verdict verdict = verdict(slowCopies ? DELAY_NANOS : 0, slowCopies ? 0 : DELAY_NANOS);
        Strategy fast = slowCopies ? Strategy.HMM_CHECKED : Strategy.COPIES_PAGEABLE;
        Strategy slow = slowCopies ? Strategy.COPIES_PAGEABLE : Strategy.HMM_CHECKED;
        Ranking ranking = verdict.ranking(SIZE).orElseThrow();
        assertThat(ranking.leaders()).containsExactly(fast);
        assertThat(ranking.undecided()).isEmpty();
        assertThat(ranking.factor(slow, fast)).isEqualTo(51);
        assertThat(ranking.wall(slow).low()).as("it takes as long as it was made to").isEqualTo(LAUNCH_NANOS + DELAY_NANOS);
        assertThat(verdict.sentence()).matches(slowCopies ? "At 64 KiB.* hmm4j .checked. is fastest .* times as fast as explicit copies.*"
            : "At 64 KiB.* explicit copies are fastest .* times as fast as hmm4j .checked.*");
    }

    @Test
    void oneThatIsWrongHasNoFigures() {
        try (OpenStrategy right = open(Strategy.HMM_CHECKED, 0, 0); OpenStrategy wrong = open(Strategy.COPIES_PAGEABLE, 0, 1)) {
            List<Cell> cells = new Group(Works.of(Workload.STREAM), SIZE, SCHEDULE).measure(List.of(wrong, right));
            assertThat(cells.getFirst().status()).isEqualTo(Cell.Status.FAILED);
            assertThat(cells.getFirst().why()).contains("wrong result: what=sum");
            assertThat(cells.getLast().status()).isEqualTo(Cell.Status.MEASURED);
        }
    }

    private Verdict verdict(long copiesDelayNanos, long managedDelayNanos) {
        try (OpenStrategy copies = open(Strategy.COPIES_PAGEABLE, copiesDelayNanos, 0); OpenStrategy managed = open(Strategy.HMM_CHECKED, managedDelayNanos, 0)) {
            List<Cell> cells = new Group(Works.of(Workload.STREAM), SIZE, SCHEDULE, clock::get).measure(List.of(copies, managed));
            return Verdict.of(new Grid(cells), Workload.STREAM);
        }
    }

    /// @param missing how many words the kernel leaves out; all but 0 is a mistake
    private OpenStrategy open(Strategy as, long delayNanos, long missing) {
        return new Slow(new Managed(as, Hmm.builder().heap(ByteSize.mib(4)).open()), clock, delayNanos, missing);
    }

    /// Takes its time for each launch, and leaves out the last work-items.
    private record Slow(OpenStrategy managed, AtomicLong clock, long delayNanos, long missing) implements OpenStrategy {
        @Override
        public Strategy strategy() {
            return managed.strategy();
        }

        @Override
        public Block allocate(long lengthBytes) {
            return managed.allocate(lengthBytes);
        }

        @Override
        public void launch(int times, String kernel, long workItems, Argument... arguments) {
            clock.addAndGet(LAUNCH_NANOS + delayNanos);
            managed.launch(times, kernel, workItems - missing, arguments);
        }

        @Override
        public Taken take() {
            return managed.take();
        }

        @Override
        public void trim() {
            managed.trim();
        }

        @Override
        public void close() {
            managed.close();
        }
    }
}
