package io.github.hmm4j.demos.harness;

import io.github.hmm4j.Report;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.account.Direction;

/// What one of the two programs of a demo took for one run: from inputs on the host to the result on the host, with all
/// copies, without set-up and check.
///
/// @param nanos the median of several runs
/// @param firstNanos the run before those, which they do not include
/// @param bytesToDevice as counted, not as computed
/// @param pages that moved, either way; 0 for the explicit program
/// @param views host views opened, which checked access needs; 0 for the explicit program
/// @param faults touches that brought pages home by themselves (transparent access); 0 for the explicit program
/// @param linesOfCode see [LinesOfCode]
public record TwinResult(long nanos, long firstNanos, long bytesToDevice, long bytesToHost, long pages, long views,
    long faults, int linesOfCode) {
    /// The figures of a program on the managed heap.
    ///
    /// @param moved what the heap moved in one run
    public static TwinResult managed(RunClock clock, Report moved, Class<?> program) {
        return new TwinResult(clock.medianNanos(), clock.firstNanos(), moved.bytes(Direction.TO_DEVICE),
            moved.bytes(Direction.TO_HOST), moved.pages(), moved.count(Counter.VIEWS_OPENED),
            moved.count(Counter.FAULTS_READ) + moved.count(Counter.FAULTS_WRITE), LinesOfCode.of(program));
    }

    /// The figures of a program that copies by itself.
    public static TwinResult explicit(RunClock clock, long bytesToDevice, long bytesToHost, Class<?> program) {
        return new TwinResult(clock.medianNanos(), clock.firstNanos(), bytesToDevice, bytesToHost, 0, 0, 0,
            LinesOfCode.of(program));
    }
}
