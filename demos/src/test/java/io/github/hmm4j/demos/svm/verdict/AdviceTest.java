package io.github.hmm4j.demos.svm.verdict;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.demos.svm.Cell;
import io.github.hmm4j.demos.svm.Crafted;
import io.github.hmm4j.demos.svm.Estimate;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.Workload;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AdviceTest {
    private static final Workload STREAM = Workload.STREAM;
    private static final Strategy COPIES = Strategy.COPIES_PAGEABLE;
    private static final Strategy FINE = Strategy.SVM_FINE;
    private static final Strategy CHECKED = Strategy.HMM_CHECKED;

    private final List<Cell> cells = new ArrayList<>();

    @Test
    void saysWhatToUseAndByHowMuchItIsAhead() {
        measured(COPIES, 1000, 4000);
        measured(FINE, 500, 1000);
        assertAdvice("Use fine-grained SVM buffer (2.0 to 4.0 times as fast as explicit copies).");
        assertThat(verdict().advice(16384)).isEqualTo("Use fine-grained SVM buffer (4.0 times as fast as explicit copies).");
    }

    @Test
    void aCrossoverMakesTwoChoices() {
        measured(COPIES, 900, 1000, 1200, 1500);
        measured(FINE, 100, 400, 2400, 9000);
        measured(CHECKED, 5000, 5000, 5000, 5000);
        assertAdvice("Use fine-grained SVM buffer up to 16 KiB (2.5 to 9.0 times as fast as explicit copies); "
            + "use explicit copies from 64 KiB on (2.0 to 3.3 times as fast as the next).");
    }

    @Test
    void whatIsNotToldApartIsNoClearWinner() {
        measured(CHECKED, 3000, 3000);
        cells.add(Crafted.cell(STREAM, COPIES, 4096, Crafted.wall(1000, 800, 1600)));
        cells.add(Crafted.cell(STREAM, FINE, 4096, Crafted.wall(1700, 1600, 1800)));
        assertThat(verdict().advice(4096)).isEqualTo("No clear winner among explicit copies and fine-grained SVM buffer (the fastest is 3.0 times as fast as hmm4j (checked)).");
        cells.add(Crafted.cell(STREAM, COPIES, 16384, 2000));
        cells.add(Crafted.cell(STREAM, FINE, 16384, 1000));
        assertAdvice("Use fine-grained SVM buffer at 16 KiB (2.0 times as fast as explicit copies); no clear winner among explicit copies and fine-grained SVM buffer at 4 KiB.");
    }

    @Test
    void whoMightBeSlowerThanOneThatDoesNotLeadIsNotRecommended() {
        cells.add(Crafted.cell(STREAM, COPIES, 4096, Crafted.wall(1000, 990, 1010)));
        cells.add(Crafted.cell(STREAM, FINE, 4096, Crafted.wall(1050, 950, 1500)));
        cells.add(Crafted.cell(STREAM, CHECKED, 4096, Crafted.wall(1300, 1250, 1350)));
        assertThat(verdict().ranking(4096).orElseThrow().leaders()).containsExactly(COPIES, FINE);
        assertAdvice("Use explicit copies (1.30 times as fast as hmm4j (checked)).");
    }

    @Test
    void manyThatAreLevelHaveOneName() {
        for (Strategy strategy : Strategy.values()) {
            measured(strategy, strategy.family() == Strategy.Family.SVM ? 1000 : 3000);
        }
        assertAdvice("Use any SVM (3.0 times as fast as explicit copies).");
        cells.clear();
        for (Strategy strategy : Strategy.values()) {
            measured(strategy, strategy == CHECKED ? 3000 : 1000);
        }
        assertAdvice("Use any but hmm4j (checked) (3.0 times as fast as hmm4j (checked)).");
        cells.replaceAll(cell -> cell.strategy() == CHECKED ? Crafted.cell(STREAM, CHECKED, 4096, 1001) : cell);
        assertAdvice("Use any (all are level).");
        cells.clear();
        measured(COPIES, 1000);
        measured(FINE, 1000);
        assertAdvice("Use explicit copies or fine-grained SVM buffer (level).");
    }

    @Test
    void manyChangesOfTheWinnerAreCounted() {
        measured(COPIES, 1, 9, 1, 9, 1, 9);
        measured(FINE, 9, 1, 9, 1, 9, 1);
        assertAdvice("What wins changes 5 times with the size.");
    }

    @Test
    void nothingIsRecommendedWithoutAComparison() {
        measured(COPIES, 1000, 1000);
        cells.add(Crafted.notSupported(STREAM, FINE, 4096, "x"));
        assertAdvice("Nothing to compare explicit copies with.");
        cells.add(Crafted.cell(STREAM, FINE, 16384, 4000));
        assertAdvice("Use explicit copies at 16 KiB (4.0 times as fast as fine-grained SVM buffer); nothing to compare explicit copies with at 4 KiB.");
        cells.clear();
        cells.add(Crafted.notSupported(STREAM, FINE, 4096, "x"));
        assertAdvice("Nothing can be compared.");
        assertThat(verdict().advice(4096)).isEqualTo("Nothing can be compared.");
    }

    /// Medians of 1000 and 2000 whose intervals are 13 % wide to both sides: 1740 / 1130 is left over.
    @Test
    void inANoisyRunOnlyWhatTheIntervalsLeaveOverIsSaid() {
        for (Strategy strategy : List.of(COPIES, FINE)) {
            double median = strategy == COPIES ? 1000 : 2000;
            cells.add(Crafted.cell(STREAM, strategy, 4096, new Estimate(median, median * 0.87, median * 1.13, 0.96, median, median, median, median, 0.3, 25)));
        }
        assertAdvice("Use explicit copies (at least 1.53 times as fast as fine-grained SVM buffer).");
        assertThat(verdict().advice(4096)).isEqualTo(verdict().advice());
    }

    private void measured(Strategy strategy, double... medians) {
        cells.addAll(Crafted.cells(STREAM, strategy, medians));
    }

    private Verdict verdict() {
        return Verdict.of(new Grid(cells), STREAM);
    }

    private void assertAdvice(String advice) {
        assertThat(verdict().advice()).isEqualTo(advice);
    }
}
