package io.github.hmm4j.demos.svm.verdict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.demos.svm.Cell;
import io.github.hmm4j.demos.svm.Crafted;
import io.github.hmm4j.demos.svm.Estimate;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.verdict.Duel.Sides;
import io.github.hmm4j.demos.svm.verdict.Verdict.Crossover;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class VerdictTest {
    private static final Workload STREAM = Workload.STREAM;
    private static final Strategy COPIES = Strategy.COPIES_PAGEABLE;
    private static final Strategy FINE = Strategy.SVM_FINE;
    private static final Strategy CHECKED = Strategy.HMM_CHECKED;

    private final List<Cell> cells = new ArrayList<>();

    @Test
    void namesTheFastestAndByHowMuch() {
        measured(COPIES, 1000, 4000);
        measured(FINE, 500, 1000);
        assertSentence("At every size from 4 KiB to 16 KiB fine-grained SVM buffer is fastest "
            + "(2.0 times as fast as explicit copies at 4 KiB, 4.0 times at 16 KiB).");
        assertThat(verdict().crossovers()).isEmpty();
    }

    @Test
    void namesTheCrossover() {
        measured(COPIES, 900, 1000, 1200, 1500);
        measured(FINE, 100, 400, 2400, 9000);
        measured(CHECKED, 5000, 5000, 5000, 5000);
        assertSentence("Up to 16 KiB fine-grained SVM buffer is fastest (9.0 times as fast as explicit copies at 4 KiB, 2.5 times at 16 KiB); "
            + "from 64 KiB on explicit copies are fastest (2.0 times as fast as fine-grained SVM buffer at 64 KiB, "
            + "3.3 times as fast as hmm4j (checked) at 256 KiB); the crossover lies between 16 KiB and 64 KiB.");
        assertThat(verdict().crossovers()).containsExactly(new Crossover(16384, 65536));
    }

    @Test
    void aSlowerStrategyLosesItsLead() {
        measured(COPIES, 1000);
        measured(FINE, 500);
        assertSentence("At 4 KiB, the only size, fine-grained SVM buffer is fastest (2.0 times as fast as explicit copies).");
        cells.removeLast();
        measured(FINE, 5000);
        assertSentence("At 4 KiB, the only size, explicit copies are fastest (5.0 times as fast as fine-grained SVM buffer).");
    }

    /// Medians of 1000 and 2000 whose intervals are 13 % wide to both sides leave 1740 / 1130 over.
    @Test
    void inANoisyRunFactorsAreWhatTheIntervalsLeaveOver() {
        for (long size : new long[] {4096, 16384}) {
            noisy(COPIES, size, size == 4096 ? 1000 : 2000);
            noisy(FINE, size, size == 4096 ? 2000 : 1000);
        }
        assertSentence("At 4 KiB explicit copies are fastest (at least 1.53 times as fast as fine-grained SVM buffer); "
            + "at 16 KiB fine-grained SVM buffer is fastest (at least 1.53 times as fast as explicit copies); "
            + "the crossover lies between 4 KiB and 16 KiB.");
        assertThat(duel(Sides.FINE_AGAINST_COPIES)).isEqualTo("Fine-grained SVM against explicit copies: "
            + "slower at 4 KiB (at least 1.53 times as long), faster at 16 KiB (at least 1.53 times as fast).");
        cells.clear();
        for (long size : new long[] {4096, 16384}) {
            noisy(COPIES, size, 1000);
            noisy(FINE, size, size == 4096 ? 2000 : 4000);
        }
        assertSentence("At every size from 4 KiB to 16 KiB explicit copies are fastest "
            + "(at least 1.53 times as fast as fine-grained SVM buffer at 4 KiB, 3.0 times at 16 KiB).");
    }

    /// The second is level with the first, and not told apart from the third.
    @Test
    void whoIsLevelWithTheFastestNeedNotBeFasterThanTheNext() {
        cells.add(Crafted.cell(STREAM, COPIES, 4096, Crafted.wall(1000, 990, 1010)));
        cells.add(Crafted.cell(STREAM, FINE, 4096, Crafted.wall(1040, 1000, 1400)));
        cells.add(Crafted.cell(STREAM, CHECKED, 4096, Crafted.wall(1300, 1200, 1500)));
        assertSentence("At 4 KiB, the only size, explicit copies and fine-grained SVM buffer are fastest or level with "
            + "the fastest (the fastest is 1.30 times as fast as hmm4j (checked)).");
    }

    @Test
    void intervalsThatOverlapAreNotToldApartWhereTheyAreWide() {
        measured(CHECKED, 3000);
        cells.add(Crafted.cell(STREAM, COPIES, 4096, Crafted.wall(1000, 800, 1600)));
        cells.add(Crafted.cell(STREAM, FINE, 4096, Crafted.wall(1700, 1600, 1800)));
        assertSentence("At 4 KiB, the only size, explicit copies lead, but are no clear winners (3.0 times as fast as hmm4j (checked)).");
        assertThat(verdict().ranking(4096).orElseThrow().leaders()).containsExactly(COPIES);
        assertThat(verdict().ranking(4096).orElseThrow().undecided()).containsExactly(FINE);
        assertThat(duel(Sides.FINE_AGAINST_COPIES)).isEqualTo("Fine-grained SVM against explicit copies: not told apart at 4 KiB, the only size.");
        cells.removeFirst();
        cells.removeLast();
        cells.add(Crafted.cell(STREAM, FINE, 4096, Crafted.wall(1700, 1600.1, 1800)));
        // The run is noisy, and the intervals leave no factor over.
        assertSentence("At 4 KiB, the only size, explicit copies are fastest.");
    }

    @Test
    void intervalsThatOverlapAreLevelOnlyIfMoreThanAQuarterIsExcluded() {
        cells.add(Crafted.cell(STREAM, COPIES, 4096, Crafted.wall(1000, 960, 1100)));
        cells.add(Crafted.cell(STREAM, FINE, 4096, Crafted.wall(1100, 1050, 1200)));
        assertSentence("At 4 KiB, the only size, explicit copies and fine-grained SVM buffer are level.");
        cells.removeLast();
        cells.add(Crafted.cell(STREAM, FINE, 4096, Crafted.wall(1100, 1050, 1200.1)));
        assertSentence("At 4 KiB, the only size, explicit copies lead, but are no clear winners.");
    }

    @Test
    void aChangeOfTheLeadThatNoiseCouldExplainIsNoCrossover() {
        cells.add(Crafted.cell(STREAM, COPIES, 4096, Crafted.wall(1000, 800, 1600)));
        cells.add(Crafted.cell(STREAM, FINE, 4096, Crafted.wall(1500, 1400, 1800)));
        cells.add(Crafted.cell(STREAM, COPIES, 16384, Crafted.wall(1500, 1400, 1800)));
        cells.add(Crafted.cell(STREAM, FINE, 16384, Crafted.wall(1000, 800, 1600)));
        assertSentence("At every size from 4 KiB to 16 KiB no strategy is a clear winner, and explicit copies and fine-grained SVM buffer may be the fastest.");
        assertThat(verdict().crossovers()).isEmpty();
        assertThat(verdict().spans().getFirst().leaders()).isEmpty();
    }

    @Test
    void whoLeadsThroughoutIsNamedBeforeThoseNotToldApartSomewhere() {
        measured(COPIES, 1000);
        measured(FINE, 3000);
        cells.add(Crafted.cell(STREAM, COPIES, 16384, Crafted.wall(1000, 900, 1600)));
        cells.add(Crafted.cell(STREAM, FINE, 16384, Crafted.wall(1500, 1400, 1800)));
        measured(CHECKED, 9000, 9000);
        assertSentence("At every size from 4 KiB to 16 KiB explicit copies lead, but are no clear winners at some of these sizes "
            + "(3.0 times as fast as fine-grained SVM buffer at 4 KiB, "
            + "9.0 times as fast as hmm4j (checked) at 16 KiB).");
        assertThat(duel(Sides.FINE_AGAINST_COPIES)).isEqualTo("Fine-grained SVM against explicit copies: "
            + "slower at 4 KiB (3.0 times as long), not told apart at 16 KiB.");
    }

    /// In a quiet run the first two are level; in a noisy one that their medians are near says nothing, and neither
    /// leads.
    @Test
    void inANoisyRunNobodyLeadsWhereAnotherMayBeTheFastest() {
        measured(COPIES, 1000);
        measured(FINE, 1040);
        measured(CHECKED, 2000);
        assertThat(verdict().ranking(4096).orElseThrow().leaders()).containsExactly(COPIES, FINE);
        cells.clear();
        noisy(COPIES, 4096, 1000);
        noisy(FINE, 4096, 1040);
        noisy(CHECKED, 4096, 2000);
        Ranking ranking = verdict().ranking(4096).orElseThrow();
        assertThat(ranking.leaders()).isEmpty();
        assertThat(ranking.undecided()).containsExactly(COPIES, FINE);
        assertThat(verdict().advice()).isEqualTo("No clear winner among explicit copies and fine-grained SVM buffer "
            + "(the fastest is at least 1.53 times as fast as hmm4j (checked)).");
        assertSentence("At 4 KiB, the only size, no strategy is a clear winner, and explicit copies and "
            + "fine-grained SVM buffer may be the fastest (at least 1.53 times as fast as hmm4j (checked)).");
        assertThat(duel(Sides.FINE_AGAINST_COPIES)).contains("not told apart at 4 KiB");
    }

    @Test
    void mediansWithinFivePercentAreLevelHoweverSure() {
        cells.add(Crafted.cell(STREAM, COPIES, 4096, Crafted.wall(1000, 999, 1001)));
        cells.add(Crafted.cell(STREAM, FINE, 4096, Crafted.wall(1050, 1049, 1051)));
        assertThat(verdict().ranking(4096).orElseThrow().leaders()).containsExactly(COPIES, FINE);
        cells.removeLast();
        cells.add(Crafted.cell(STREAM, FINE, 4096, Crafted.wall(1051, 1050, 1052)));
        assertThat(verdict().ranking(4096).orElseThrow().leaders()).containsExactly(COPIES);
    }

    @Test
    void whereNearlyAllLeadTheOthersAreNamed() {
        for (Strategy strategy : Strategy.values()) {
            measured(strategy, strategy == CHECKED ? 3000 : 1000);
        }
        assertSentence("At 4 KiB, the only size, all strategies but hmm4j (checked) are level, and fastest (3.0 times as fast as hmm4j (checked)).");
        cells.replaceAll(cell -> cell.strategy() == CHECKED ? Crafted.cell(STREAM, CHECKED, 4096, 1001) : cell);
        assertSentence("At 4 KiB, the only size, all strategies are level.");
    }

    @Test
    void whatNoDeviceCouldDoIsNotSaidOfThisOne() {
        measured(COPIES, 1000);
        cells.add(new Cell(STREAM, CHECKED, 4096, Cell.Status.NOT_SUPPORTED, "not possible with hmm4j, checked: nobody sees it", Optional.empty()));
        assertThat(verdict().notes()).containsExactly("Not possible on any device: hmm4j (checked) (nobody sees it).");
    }

    @Test
    void whoIsSometimesLevelStillLeadsARange() {
        measured(COPIES, 1000, 1000, 1000);
        measured(FINE, 1500, 1010, 1500);
        measured(CHECKED, 3000, 3000, 3000);
        assertSentence("At every size from 4 KiB to 64 KiB explicit copies are fastest or level with the fastest "
            + "(1.50 times as fast as fine-grained SVM buffer at 4 KiB, 1.50 times at 64 KiB).");
    }

    @Test
    void manyChangesOfTheLeadAreListedWithoutFactors() {
        measured(COPIES, 1, 9, 1, 9, 1, 9);
        measured(FINE, 9, 1, 9, 1, 9, 1);
        assertThat(verdict().sentence()).startsWith("No strategy leads for long;").contains("at 4 KiB explicit copies, at 16 KiB fine-grained SVM buffer");
        assertThat(verdict().crossovers()).hasSize(5);
    }

    @Test
    void aFailedStrategyNeverWinsAndIsNamed() {
        measured(COPIES, 1000, 1000);
        cells.add(Crafted.failed(STREAM, FINE, 4096, "wrong result: byte 17"));
        cells.add(Crafted.cell(STREAM, FINE, 16384, 10));
        cells.add(new Cell(STREAM, CHECKED, 4096, Cell.Status.FAILED, "timed out", Crafted.cell(STREAM, CHECKED, 4096, 1).figures()));
        assertThat(verdict().ranking(4096).orElseThrow().leaders()).containsExactly(COPIES);
        assertThat(verdict().notes()).contains("Failed, and so not compared: fine-grained SVM buffer at 4 KiB (wrong result: byte 17); "
            + "hmm4j (checked) at 4 KiB (timed out).", "Not part of this run: hmm4j (checked) at 16 KiB.");
    }

    @Test
    void whatTheDeviceLacksIsNamedOnce() {
        measured(COPIES, 1000, 1000);
        for (Strategy strategy : List.of(FINE, Strategy.SVM_ATOMICS)) {
            cells.add(Crafted.notSupported(STREAM, strategy, 4096, "no fine-grained buffers"));
            cells.add(Crafted.notSupported(STREAM, strategy, 16384, "no fine-grained buffers"));
        }
        assertThat(verdict().notes()).containsExactly(
            "Not supported by this device: fine-grained SVM buffer and fine-grained SVM with atomics (no fine-grained buffers).");
        assertSentence("At every size from 4 KiB to 16 KiB only explicit copies gave a result, and there is nothing to compare them with.");
    }

    @Test
    void aStrategyThatIsAloneAtASizeWinsNothingThere() {
        measured(COPIES, 1000, 1000, 1000);
        measured(FINE, 3000, 3000);
        cells.add(Crafted.notSupported(STREAM, FINE, 65536, "too large"));
        assertSentence("Up to 16 KiB explicit copies are fastest (3.0 times as fast as fine-grained SVM buffer at 4 KiB, 3.0 times at 16 KiB); "
            + "at 64 KiB only explicit copies gave a result, and there is nothing to compare them with.");
        assertThat(verdict().crossovers()).isEmpty();
        assertThat(verdict().notes()).containsExactly("Not supported by this device: fine-grained SVM buffer at 64 KiB (too large).");
    }

    @Test
    void tooFewMeasurementsSayNothing() {
        cells.add(Crafted.cell(STREAM, COPIES, 4096, Crafted.tooFew(1)));
        cells.add(Crafted.cell(STREAM, FINE, 4096, Crafted.tooFew(1000)));
        assertSentence("Nothing can be said: there were too few measurements for a confidence interval.");
        cells.add(Crafted.cell(STREAM, CHECKED, 4096, 5000));
        assertThat(verdict().ranking(4096).orElseThrow().leaders()).containsExactly(CHECKED);
        assertThat(verdict().notes()).containsExactly("Measured too seldom to be compared: explicit copies and fine-grained SVM buffer.");
    }

    @Test
    void aClockThatIsTooCoarseSaysNothing() {
        measured(COPIES, 1000);
        cells.add(Crafted.cell(STREAM, FINE, 4096, Crafted.wall(0, 0, 0)));
        cells.add(Crafted.cell(STREAM, CHECKED, 4096, new Estimate(Double.NaN, 1, 2, 0.95, 1, 1, 2, 2, 0.1, 9)));
        assertThat(verdict().ranking(4096).orElseThrow().walls()).containsOnlyKeys(COPIES);
    }

    @Test
    void saysSoWhereNothingWasMeasured() {
        cells.add(Crafted.notSupported(STREAM, COPIES, 4096, "x"));
        assertSentence("Nothing can be said: no strategy gave a result.");
        assertThat(verdict().duels()).extracting(Duel::sentence).containsExactly(
            "Fine-grained SVM against explicit copies: cannot be compared, since one of the two has no result.",
            "Fine-grained SVM against paging: cannot be compared, since one of the two has no result.",
            "Explicit copies against paging: cannot be compared, since one of the two has no result.");
    }

    @Test
    void aGapInTheMiddleEndsARange() {
        measured(COPIES, 1000, 1000, 1000);
        measured(FINE, 3000, 3000, 3000);
        cells.replaceAll(cell -> cell.sizeBytes() == 16384 ? Crafted.failed(STREAM, cell.strategy(), 16384, "x") : cell);
        assertSentence("At 4 KiB explicit copies are fastest (3.0 times as fast as fine-grained SVM buffer); at 16 KiB nothing can be compared; "
            + "at 64 KiB explicit copies are fastest (3.0 times as fast as fine-grained SVM buffer).");
    }

    @Test
    void familiesAreComparedByTheirFastest() {
        measured(COPIES, 1000, 1000, 1000, 1000);
        measured(Strategy.COPIES_PINNED, 800, 2000, 990, 1000);
        measured(FINE, 400, 1000, 3000, 4000);
        measured(Strategy.SVM_COARSE, 1, 1, 1, 1);
        measured(Strategy.SVM_ATOMICS, 9000, 1000, 1980, 9000);
        assertThat(duel(Sides.FINE_AGAINST_COPIES)).isEqualTo("Fine-grained SVM against explicit copies: faster at 4 KiB (2.0 times as fast), "
            + "level at 16 KiB, slower from 64 KiB on (2.0 times as long at 64 KiB, 4.0 times as long at 256 KiB).");
        assertThat(duel(Sides.FINE_AGAINST_PAGING)).contains("cannot be compared");
    }

    @Test
    void twoCellsForOnePlaceAreRefused() {
        measured(COPIES, 1000);
        measured(COPIES, 1000);
        assertThatThrownBy(this::verdict).hasMessageContaining("workload=stream, strategy=copies.pageable, sizeBytes=4096");
    }

    private void measured(Strategy strategy, double... medians) {
        cells.addAll(Crafted.cells(STREAM, strategy, medians));
    }

    private void noisy(Strategy strategy, long sizeBytes, double median) {
        cells.add(Crafted.cell(STREAM, strategy, sizeBytes,
            new Estimate(median, median * 0.87, median * 1.13, 0.96, median, median, median, median, 0.3, 25)));
    }

    private Verdict verdict() {
        return Verdict.of(new Grid(cells), STREAM);
    }

    private String duel(Sides sides) {
        return verdict().duels().stream().filter(duel -> duel.sides() == sides).findFirst().orElseThrow().sentence();
    }

    private void assertSentence(String sentence) {
        assertThat(verdict().sentence()).isEqualTo(sentence);
    }
}
