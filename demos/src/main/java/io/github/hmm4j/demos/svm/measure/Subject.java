package io.github.hmm4j.demos.svm.measure;

import io.github.hmm4j.demos.svm.Cell;
import io.github.hmm4j.demos.svm.Latencies;
import io.github.hmm4j.demos.svm.strategy.OpenStrategy;
import io.github.hmm4j.demos.svm.work.Work;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;
import org.jspecify.annotations.Nullable;

/// One strategy with one workload at one size while it is measured. One thread.
final class Subject implements AutoCloseable {
    private static final int MOST_RUNS = 1000; // of one measurement
    private static final int DIGITS = 3;       // of the histogram
    private static final int BUCKETS_PER_DECADE = 20;

    private final Work work;
    private final OpenStrategy strategy;
    private final long sizeBytes;
    private final boolean keepOpen;
    private final LongSupplier clock;
    private final List<Double> wall = new ArrayList<>();
    private final List<Double> device = new ArrayList<>();
    private final Histogram latencies = new Histogram(TimeUnit.MINUTES.toNanos(10), DIGITS);
    private Work.@Nullable Task task;
    private long run;
    private int runsPerSample = 1;
    private long bytesToDevice;
    private long bytesToHost;
    private long operations;

    Subject(Work work, OpenStrategy strategy, long sizeBytes, boolean keepOpen, LongSupplier clock) {
        this.work = work;
        this.strategy = strategy;
        this.sizeBytes = sizeBytes;
        this.keepOpen = keepOpen;
        this.clock = clock;
    }

    OpenStrategy strategy() {
        return strategy;
    }

    /// Runs without measuring, and finds out how many runs make a measurement.
    void warmUp(Schedule schedule) {
        Work.Task open = open();
        long start = clock.getAsLong();
        long fastest = Long.MAX_VALUE;
        do {
            fastest = Math.min(fastest, runOnce(open, Subject::forget));
        } while (clock.getAsLong() - start < schedule.warmUp().toNanos());
        runsPerSample = Math.clamp(schedule.sample().toNanos() / Math.max(1, fastest), 1, MOST_RUNS);
        open.verify();
        strategy.take();
        letGo();
    }

    /// Takes one measurement.
    void sample() {
        boolean fresh = task == null;
        Work.Task open = open();
        if (fresh) {
            runOnce(open, Subject::forget); // memory that is touched for the first time
        }
        strategy.take();
        long nanos = 0;
        for (int i = 0; i < runsPerSample; i++) {
            nanos += runOnce(open, this::count);
        }
        OpenStrategy.Taken taken = strategy.take();
        double each = (double) runsPerSample * open.operations();
        wall.add(nanos / each);
        if (taken.kernelNanos() > 0) {
            device.add(taken.kernelNanos() / each);
        }
        bytesToDevice += taken.bytesToDevice();
        bytesToHost += taken.bytesToHost();
        operations += (long) each;
        letGo();
    }

    /// What is done to warm up is in no figure.
    private static void forget(long nanos) {}

    private void count(long nanos) {
        latencies.recordValue(Math.min(nanos, latencies.getHighestTrackableValue()));
    }

    private long runOnce(Work.Task open, LongConsumer latency) {
        run++;
        open.prepare(run);
        long start = clock.getAsLong();
        open.run(run, latency);
        long nanos = clock.getAsLong() - start;
        open.after(run);
        return nanos;
    }

    private Work.Task open() {
        if (task == null) {
            task = OpeningTask.open(work, strategy, sizeBytes);
        }
        return task;
    }

    private void letGo() {
        if (!keepOpen) {
            close();
            strategy.trim();
        }
    }

    /// Compares all of the data once more.
    void verify() {
        if (task != null) {
            task.verify();
        }
    }

    boolean isPrecise(double precision) {
        return Statistics.halfWidth(array(wall)) <= precision;
    }

    Cell.Figures figures() {
        return new Cell.Figures(Statistics.of(array(wall)), device.isEmpty() ? Optional.empty() : Optional.of(Statistics.of(array(device))),
            Math.round((double) bytesToDevice / operations), Math.round((double) bytesToHost / operations),
            latencies.getTotalCount() == 0 ? Optional.empty() : Optional.of(latencies()));
    }

    private Latencies latencies() {
        List<Latencies.Bucket> buckets = new ArrayList<>();
        for (HistogramIterationValue each : latencies.logarithmicBucketValues(100, Math.pow(10, 1.0 / BUCKETS_PER_DECADE))) {
            if (each.getCountAddedInThisIterationStep() > 0) {
                buckets.add(new Latencies.Bucket(each.getValueIteratedTo(), each.getCountAddedInThisIterationStep()));
            }
        }
        return new Latencies(latencies.getValueAtPercentile(50), latencies.getValueAtPercentile(99), latencies.getValueAtPercentile(99.9),
            latencies.getMaxValue(), latencies.getTotalCount(), buckets);
    }

    private static double[] array(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }

    @Override
    public void close() {
        if (task != null) {
            Work.Task open = task;
            task = null;
            open.close();
        }
    }
}
