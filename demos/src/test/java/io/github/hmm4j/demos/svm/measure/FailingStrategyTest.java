package io.github.hmm4j.demos.svm.measure;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.OpenClDevices;
import io.github.hmm4j.demos.device.BareOpenCl;
import io.github.hmm4j.demos.device.FailingCl;
import io.github.hmm4j.demos.device.Opening;
import io.github.hmm4j.demos.device.RecordingCl;
import io.github.hmm4j.demos.harness.Binding;
import io.github.hmm4j.demos.svm.Cell;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy;
import io.github.hmm4j.demos.svm.strategy.Strategies;
import io.github.hmm4j.demos.svm.work.Works;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClDeviceId;
import io.github.hmm4j.device.opencl.ClPlatforms;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// One OpenCL call fails: the strategy that made it is named, the others are measured, and nothing stays behind.
class FailingStrategyTest {
    private static final long SIZE = ByteSize.kib(16);
    private static final Schedule SCHEDULE = new Schedule(List.of(SIZE), Statistics.FEWEST, 0.05, Duration.ZERO, Duration.ZERO, Duration.ZERO, 0);
    /// Several blocks, and many launches at once.
    private static final List<Workload> WORKLOADS = List.of(Workload.STREAM, Workload.ITERATE);

    private record Outcome(Set<Strategy> all, Set<Strategy> failed, Set<Strategy> measured) {}

    @ParameterizedTest
    @CsvSource({
        "createProgram, 2",    // a strategy cannot be opened
        "createBuffer,  2",    // half of what a workload needs
        "flush,         2",    // a launch that was enqueued already
        "enqueueKernel, 150"}) // one in the middle of a hundred
    void onlyWhoFailsIsOutAndNothingIsLeft(String call, int number) throws Exception {
        FailingCl failing = new FailingCl(call, number);
        Outcome outcome = run(failing);
        assertThat(failing.calls(call)).isGreaterThanOrEqualTo(number);
        assertThat(outcome.failed()).as("with those that need a heap, which there is none of").hasSize(6)
            .contains(Strategy.HMM_CHECKED, Strategy.HMM_TRANSPARENT, Strategy.HMM_PAGED, Strategy.HMM_TRAP, Strategy.HMM_IN_PLACE);
        assertThat(outcome.measured()).containsAll(outcome.all().stream().filter(each -> !outcome.failed().contains(each)).toList()).hasSizeGreaterThan(1);
        assertThat(failing.alive()).isEmpty();
    }

    /// All workloads, by those who could be opened.
    private static Outcome run(FailingCl failing) throws Exception {
        ClApi calls = OpenClDevices.api(Opening.binding(Binding.LWJGL));
        ClDeviceId id = OpenClDevices.choose(ClPlatforms.devices(calls), "");
        Outcome outcome = new Outcome(new TreeSet<>(), new TreeSet<>(), new TreeSet<>());
        try (BareOpenCl device = RecordingCl.device(failing.over(calls), id);
                Strategies strategies = Strategies.open(device, _ -> { throw new IllegalStateException("made to fail: heap"); }, new Strategies.Wanted(false, false))) {
            List<OpenStrategy> open = new ArrayList<>();
            for (Strategy strategy : Strategy.values()) {
                strategies.find(strategy).ifPresent(open::add);
                strategies.failure(strategy).ifPresent(why -> {
                    assertThat(why).contains("made to fail");
                    outcome.failed().add(strategy);
                });
            }
            open.forEach(each -> outcome.all().add(each.strategy()));
            for (Workload workload : WORKLOADS) {
                for (Cell cell : new Group(Works.of(workload), SIZE, SCHEDULE).measure(open)) {
                    if (cell.status() == Cell.Status.FAILED) {
                        assertThat(cell.why()).contains("made to fail");
                        outcome.failed().add(cell.strategy());
                    } else {
                        outcome.measured().add(cell.strategy());
                    }
                }
            }
        }
        return outcome;
    }
}
