package io.github.hmm4j.demos.svm.measure;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.demos.harness.Binding;
import io.github.hmm4j.demos.harness.DeviceChoice;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.demos.svm.Cell;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.work.Works;
import java.io.PrintWriter;
import java.io.Writer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/// The whole benchmark with as few measurements as make an interval.
class SvmRunTest {
    @Test
    void hasACellForEachCombination() throws Exception {
        List<Long> sizes = List.of(ByteSize.kib(4), ByteSize.mib(1));
        // the larger size is allocated anew for each measurement
        Schedule schedule = new Schedule(sizes, Statistics.FEWEST, 1e-9, Duration.ZERO, Duration.ZERO, Duration.ZERO, ByteSize.kib(64));
        DeviceChoice choice = new DeviceChoice(Binding.LWJGL, Optional.empty(), OptionalLong.empty(), OptionalLong.empty());
        List<Cell> cells = new SvmRun(choice, schedule, false, new Progress(new PrintWriter(Writer.nullWriter()), false, System::nanoTime)).cells();
        assertThat(cells).allSatisfy(SvmRunTest::check);
        int at = 0;
        for (Workload workload : Workload.values()) {
            for (long size : Works.of(workload).sizes(sizes, ByteSize.kib(64))) {
                for (Strategy strategy : Strategy.values()) {
                    Cell cell = cells.get(at++);
                    assertThat(List.of(cell.workload(), cell.sizeBytes(), cell.strategy())).isEqualTo(List.of(workload, size, strategy));
                }
            }
        }
        assertThat(cells).hasSize(at);
    }

    private static void check(Cell cell) {
        assertThat(cell.status()).as(cell.toString()).isNotEqualTo(Cell.Status.FAILED);
        if (cell.status() == Cell.Status.NOT_SUPPORTED) {
            assertThat(cell.why()).startsWith("not ");
            return;
        }
        Cell.Figures figures = cell.figures().orElseThrow();
        assertThat(figures.wall().samples()).isEqualTo(Statistics.FEWEST);
        assertThat(figures.wall().confidence()).isGreaterThanOrEqualTo(Statistics.CONFIDENCE);
        assertThat(figures.wall().median()).isPositive();
        figures.latencies().ifPresent(latencies -> {
            assertThat(latencies.operations()).as("of all measurements, also where memory is allocated anew for each").isGreaterThanOrEqualTo(figures.wall().samples());
            assertThat(latencies.buckets().stream().mapToLong(bucket -> bucket.count()).sum()).isEqualTo(latencies.operations());
        });
    }
}
