package io.github.hmm4j.demos.svm.verdict;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.demos.svm.Cell;
import io.github.hmm4j.demos.svm.Crafted;
import io.github.hmm4j.demos.svm.Estimate;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.SvmResults;
import io.github.hmm4j.demos.svm.Workload;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OverallTest {
    private final List<Cell> cells = new ArrayList<>();

    @Test
    void saysWhereOneBeatsTheOtherAndByHowMuch() {
        measured(Workload.STREAM, Strategy.COPIES_PAGEABLE, 1000, 1000);
        measured(Workload.STREAM, Strategy.SVM_FINE, 500, 4000);
        measured(Workload.ITERATE, Strategy.COPIES_PAGEABLE, 1000, 1000);
        measured(Workload.ITERATE, Strategy.SVM_FINE, 500, 250);
        measured(Workload.CHASE, Strategy.COPIES_PAGEABLE, 1000, 1000);
        measured(Workload.CHASE, Strategy.SVM_FINE, 1000, 3000);
        measured(Workload.REDUCE, Strategy.SVM_FINE, 1000, 3000);
        Overall overall = overall(Crafted.results(cells));
        assertThat(overall.headline()).isEqualTo("Fine-grained SVM buffer leads most often: in 4 of 6 combinations of workload and size, "
            + "alone or level with others, then explicit copies in 3. Against fine-grained SVM buffer, at the largest common size of each workload, "
            + "the best of each other family takes, by medians: explicit copies 0.25 to 4.0 times as long.");
        assertThat(overall.parts().getFirst().text()).isEqualTo("faster at every size in Iterate 100 times (2.0 to 4.0 times as fast); "
            + "faster at 4 KiB in Stream once (2.0 times as fast, elsewhere 4.0 times as long); "
            + "never faster in Pointer chasing (level or 3.0 times as long); one workload could not be compared.");
        assertThat(overall.parts().getLast().text()).isEqualTo("cannot be compared here: there is no usable result of paging.");
        assertThat(overall.caveats()).isEmpty();
        assertThat(overall.paragraph()).startsWith("Fine-grained SVM buffer leads").contains("Fine-grained SVM against explicit copies: faster at every size in");
    }

    @Test
    void saysThatTheDeviceLacksOneSide() {
        measured(Workload.STREAM, Strategy.COPIES_PAGEABLE, 1000);
        measured(Workload.STREAM, Strategy.HMM_CHECKED, 1010);
        cells.add(Crafted.notSupported(Workload.STREAM, Strategy.SVM_FINE, 4096, "no"));
        Overall overall = overall(Crafted.results(cells));
        assertThat(overall.parts()).extracting(Overall.Part::text).containsExactly(
            "cannot be compared here: this device does not support fine-grained SVM.",
            "cannot be compared here: this device does not support fine-grained SVM.", "never faster in Stream once (level).");
    }

    @Test
    void namesACpuAndWhatFailed() {
        measured(Workload.STREAM, Strategy.COPIES_PAGEABLE, 1000);
        cells.add(Crafted.failed(Workload.STREAM, Strategy.SVM_FINE, 4096, "wrong"));
        Overall overall = overall(Crafted.results("CPU", "pthread", cells));
        assertThat(overall.headline()).isEqualTo("Nothing can be said: no two strategies gave results that can be compared.");
        assertThat(overall.caveats()).hasSize(2).first().asString().startsWith("This is a CPU device");
        assertThat(overall.caveats()).last().asString().startsWith("1 of 2 combinations failed");
        assertThat(overall.parts().getFirst().text()).contains("no usable result of fine-grained SVM");
    }

    @Test
    void whoLeadAsOftenAreNamedTogether() {
        measured(Workload.STREAM, Strategy.COPIES_PAGEABLE, 1000, 1000);
        measured(Workload.STREAM, Strategy.HMM_CHECKED, 500, 2000);
        assertThat(overall(Crafted.results(cells)).headline()).startsWith("Explicit copies and hmm4j (checked) lead most often: each in 1 of 2 combinations");
    }

    @Test
    void whatIsNotToldApartIsSaidEverywhere() {
        cells.add(Crafted.cell(Workload.STREAM, Strategy.COPIES_PAGEABLE, 4096, Crafted.wall(1000, 800, 1600)));
        cells.add(Crafted.cell(Workload.STREAM, Strategy.SVM_FINE, 4096, Crafted.wall(1700, 1600, 1800)));
        measured(Workload.STREAM, Strategy.ZERO_COPY, 5000);
        Overall overall = overall(Crafted.results(cells));
        assertThat(overall.headline()).contains("in the only combination of workload and size", ", without a clear winner.");
        assertThat(overall.parts().getFirst().text()).isEqualTo("never faster in Stream once (not told apart).");
        assertThat(overall.caveats()).singleElement().asString().startsWith("Busy or noisy machine: 1 of 3 medians are known to no better than 10 %");
    }

    /// The same medians as in a quiet run, which do make a ranking.
    @Test
    void aRunThatIsTooNoisyRanksNobodyAndSaysOnlyWhatIsCertain() {
        noisy(Workload.STREAM, Strategy.COPIES_PAGEABLE, 0.26, 1000, 1000);
        noisy(Workload.STREAM, Strategy.SVM_FINE, 0.26, 500, 4000);
        noisy(Workload.CHASE, Strategy.COPIES_PAGEABLE, 0.26, 1000, 1000);
        noisy(Workload.CHASE, Strategy.SVM_FINE, 0.26, 900, 1100);
        Overall overall = overall(Crafted.results(cells));
        assertThat(overall.headline()).isEqualTo("This run is too noisy to rank the strategies: the median noise is 26.0 %, above the limit of 25 %. "
            + "Only what the confidence intervals show is said here; in 2 of 4 combinations of workload and size they show a winner.");
        assertThat(overall.parts().getFirst().text()).isEqualTo("faster at 4 KiB in Stream once; slower at 16 KiB in Stream once; nothing certain in one workload.");
        assertThat(overall.parts().getLast().text()).isEqualTo("cannot be compared here: there is no usable result of paging.");
        assertThat(overall.paragraph()).doesNotContain("most often", "times as fast", "times as long");
    }

    @Test
    void aQuarterOfNoiseIsNotTooMuch() {
        noisy(Workload.STREAM, Strategy.COPIES_PAGEABLE, 0.25, 1000);
        noisy(Workload.STREAM, Strategy.SVM_FINE, 0.25, 500);
        assertThat(overall(Crafted.results(cells)).headline()).startsWith("Fine-grained SVM buffer leads most often");
    }

    @Test
    void aNoisyRunWithoutAnythingToCompareSaysThat() {
        noisy(Workload.STREAM, Strategy.COPIES_PAGEABLE, 0.5, 1000);
        assertThat(overall(Crafted.results(cells)).headline()).startsWith("Nothing can be said");
    }

    @Test
    void aBusyMachineIsNamedFirst() {
        measured(Workload.STREAM, Strategy.COPIES_PAGEABLE, 1000);
        SvmResults quiet = Crafted.results("CPU", "pthread", cells);
        Map<String, String> machine = new LinkedHashMap<>(quiet.machine());
        machine.put("processors", "2");
        machine.put("load", "1.00 at the start");
        assertThat(overall(new SvmResults("x", machine, quiet.device(), quiet.method(), cells)).caveats()).hasSize(1);
        machine.put("load", "8.02 at the start");
        assertThat(overall(new SvmResults("x", machine, quiet.device(), quiet.method(), cells)).caveats()).hasSize(2).first().isEqualTo(
            "Busy or noisy machine: load 8.0 on 2 processors at the start; 0 of 1 medians are known to no better than 10 %, and the median noise is 4 %; "
            + "what could not be told apart here may differ elsewhere.");
    }

    @Test
    void aSideThatIsMissingAtSomeSizesDoesNotWinThere() {
        measured(Workload.STREAM, Strategy.COPIES_PAGEABLE, 1000, 1000, 1000);
        measured(Workload.STREAM, Strategy.SVM_FINE, 500, 500);
        cells.add(Crafted.notSupported(Workload.STREAM, Strategy.SVM_FINE, 65536, "too large"));
        assertThat(overall(Crafted.results(cells)).parts().getFirst().text()).isEqualTo("faster up to 16 KiB in Stream once (2.0 times as fast).");
    }

    @Test
    void nothingAtAllIsSaidToBeNothing() {
        assertThat(overall(Crafted.results(cells)).headline()).startsWith("Nothing can be said");
    }

    private void measured(Workload workload, Strategy strategy, double... medians) {
        cells.addAll(Crafted.cells(workload, strategy, medians));
    }

    /// With intervals of 15 % to both sides.
    private void noisy(Workload workload, Strategy strategy, double noise, double... medians) {
        long size = 4096;
        for (double median : medians) {
            cells.add(Crafted.cell(workload, strategy, size, new Estimate(median, median * 0.85, median * 1.15, 0.96, median, median, median, median, noise, 25)));
            size *= 4;
        }
    }

    private static Overall overall(SvmResults results) {
        Grid grid = new Grid(results.cells());
        return Overall.of(results, grid.workloads().stream().map(workload -> Verdict.of(grid, workload)).toList());
    }
}
