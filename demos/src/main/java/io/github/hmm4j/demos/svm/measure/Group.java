package io.github.hmm4j.demos.svm.measure;

import io.github.hmm4j.demos.svm.Cell;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy;
import io.github.hmm4j.demos.svm.work.Work;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One workload at one size: all strategies in turns, A B C A B C, so that what else the machine does meets all of them.
public final class Group {
    private static final Logger LOG = LoggerFactory.getLogger(Group.class);

    private final Work work;
    private final long sizeBytes;
    private final Schedule schedule;
    private final LongSupplier clock; // in nanoseconds
    private final Map<Strategy, Cell> cells = new EnumMap<>(Strategy.class);

    public Group(Work work, long sizeBytes, Schedule schedule) {
        this(work, sizeBytes, schedule, System::nanoTime);
    }

    Group(Work work, long sizeBytes, Schedule schedule, LongSupplier clock) {
        this.work = work;
        this.sizeBytes = sizeBytes;
        this.schedule = schedule;
        this.clock = clock;
    }

    /// Measures. A strategy that fails gets a cell that says why, and does not disturb the others.
    ///
    /// @param strategies those to measure
    /// @return a cell for each of them
    public List<Cell> measure(List<OpenStrategy> strategies) {
        List<Subject> subjects = new ArrayList<>();
        try {
            for (OpenStrategy strategy : strategies) {
                work.impossible(strategy).ifPresentOrElse(
                    why -> cells.put(strategy.strategy(), Cell.impossible(work.workload(), strategy.strategy(), sizeBytes, why)),
                    () -> subjects.add(new Subject(work, strategy, sizeBytes, sizeBytes <= schedule.keepOpenBytes(), clock)));
            }
            forEach(subjects, subject -> subject.warmUp(schedule));
            measureInTurns(subjects);
            forEach(subjects, Subject::verify);
            for (Subject subject : subjects) {
                Strategy strategy = subject.strategy().strategy();
                cells.put(strategy, Cell.measured(work.workload(), strategy, sizeBytes, subject.figures()));
            }
        } finally {
            forEach(subjects, Subject::close);
        }
        return strategies.stream().map(strategy -> cells.get(strategy.strategy())).toList();
    }

    private void measureInTurns(List<Subject> subjects) {
        long start = clock.getAsLong();
        for (int round = 0; round < schedule.mostRounds() && !subjects.isEmpty(); round++) {
            boolean enough = round >= Statistics.FEWEST;
            boolean late = clock.getAsLong() - start > schedule.group().toNanos();
            if (enough && (late || subjects.stream().allMatch(subject -> subject.isPrecise(schedule.precision())))) {
                return;
            }
            forEach(subjects, Subject::sample);
        }
    }

    /// Does something with each; who fails is out.
    private void forEach(List<Subject> subjects, Consumer<Subject> step) {
        subjects.removeIf(subject -> {
            try {
                step.accept(subject);
                return false;
            } catch (RuntimeException | Error e) {
                if (e instanceof VirtualMachineError && !(e instanceof OutOfMemoryError || e instanceof InternalError)) {
                    throw e;
                }
                LOG.debug("{} failed at {}", subject.strategy().strategy(), work.workload(), e);
                Strategy strategy = subject.strategy().strategy();
                cells.put(strategy, Cell.failed(work.workload(), strategy, sizeBytes, String.valueOf(e.getMessage())));
                closeQuietly(subject, e);
                return true;
            }
        });
    }

    private static void closeQuietly(Subject subject, Throwable failure) {
        try {
            subject.close();
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }
}
