package io.github.hmm4j.demos.bench;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.report.Progress;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

/// How long the JVM waits for a thread that faults without pause until all threads stand still at a safepoint.
///
/// A thread in a fault is stopped in the kernel and reaches a safepoint when the fault has been answered, so what one expects is a part of one fetch. The JVM itself says how
/// long it waited (event `jdk.SafepointStateSynchronization`); the search for deadlocked threads is the cheapest thing that asks it for a safepoint.
final class SafepointRow {
    private static final String TIME_TO_SAFEPOINT = "jdk.SafepointStateSynchronization";
    private static final int LONGEST_PAUSE_NANOS = 500_000;
    private static final double LIMIT = 3;
    private static final int MOST_TRIES = 10;

    private final Hmm hmm;
    private final FaultBench.Sizes sizes;
    private final Progress progress;
    private final long pageBytes;
    private final SplittableRandom random = new SplittableRandom(11);

    SafepointRow(Hmm hmm, FaultBench.Sizes sizes, Progress progress) {
        this.hmm = hmm;
        this.sizes = sizes;
        this.progress = progress;
        pageBytes = hmm.heap().pageSize().bytes();
    }

    private record Window(Instant begin, Instant end) {
        boolean contains(Instant instant) {
            return !instant.isBefore(begin) && instant.isBefore(end);
        }
    }

    /// What one way to keep a thread busy gives.
    ///
    /// @param safepoints nanoseconds until each
    /// @param touches    nanoseconds of each touch
    record Waits(Samples safepoints, Samples touches) {}

    BenchRow row() throws IOException, InterruptedException, ExecutionException {
        String name = FaultBench.named("ttsp", pageBytes);
        progress.step(name);
        MemorySegment segment = hmm.heap().allocate(sizes.singleBytes(), hmm.heap().pageSize().bytes());
        Touch.fill(segment);
        Waits resident = measure(segment, pageBytes, sizes.safepoints(), () -> {}, () -> {});
        Waits faulting = measure(segment, pageBytes, sizes.safepoints(), () -> FaultBench.moveToDevice(hmm, segment),
            () -> FaultBench.requireAtHome(hmm, segment, segment.byteSize()));
        hmm.heap().free(segment);
        Samples waits = faulting.safepoints();
        double fetchNanos = faulting.touches().median();
        Samples inFetches = waits.dividedBy(fetchNanos);
        Map<String, Long> facts = new TreeMap<>(Map.of("pageSizeBytes", pageBytes, "safepoints", (long) waits.size(),
            "p50Nanos", Math.round(waits.median()), "maxNanos", Math.round(waits.percentile(100)), "fetchP50Nanos", Math.round(fetchNanos),
            "residentP50Nanos", Math.round(resident.safepoints().median()), "residentP99Nanos", Math.round(resident.safepoints().percentile(99))));
        double ratio = inFetches.percentile(99);
        return Subject.rows(hmm).row(name, waits.percentile(99) / 1e3, "us", Optional.of(ratio), "p99 beside the p50 of one fetch", facts,
            Optional.of(Target.atMost(ratio, LIMIT)), inFetches);
    }

    /// Lets a thread go through all pages, again and again, and meanwhile asks for safepoints.
    ///
    /// @param before run before each pass, when nothing is measured
    /// @param after  likewise after each pass
    Waits measure(MemorySegment segment, long pageBytes, int safepoints, Runnable before, Runnable after)
        throws IOException, InterruptedException, ExecutionException {
        Waits waits = measureOnce(segment, pageBytes, safepoints, before, after);
        for (int tries = 1; waits.safepoints().size() == 0 && tries < MOST_TRIES; tries++) {
            waits = measureOnce(segment, pageBytes, safepoints, before, after);
        }
        return waits;
    }

    /// Passes are short: on a busy machine no safepoint at all may fall into one.
    private Waits measureOnce(MemorySegment segment, long pageBytes, int safepoints, Runnable before, Runnable after)
        throws IOException, InterruptedException, ExecutionException {
        int[] next = Touch.cycle(Touch.shuffled(Math.toIntExact(segment.byteSize() / pageBytes), random));
        long[] nanos = new long[next.length];
        Samples touches = new Samples();
        List<Window> windows = new ArrayList<>();
        int asked = 0;
        Path file = Files.createTempFile("hmm-ttsp", ".jfr");
        try (Recording recording = new Recording(); ExecutorService thread = Executors.newSingleThreadExecutor()) {
            recording.enable(TIME_TO_SAFEPOINT).withThreshold(Duration.ZERO).withoutStackTrace();
            recording.start();
            while (asked < safepoints) {
                before.run();
                Future<Window> pass = thread.submit(() -> {
                    Instant begin = Instant.now();
                    Touch.follow(segment, pageBytes, next, nanos);
                    return new Window(begin, Instant.now());
                });
                for (; !pass.isDone(); asked++) {
                    ManagementFactory.getThreadMXBean().findMonitorDeadlockedThreads();
                    LockSupport.parkNanos(random.nextInt(LONGEST_PAUSE_NANOS)); // so that safepoints fall anywhere in a fault
                }
                windows.add(pass.get());
                after.run();
                for (long touch : nanos) {
                    touches.add((double) touch);
                }
                progress.update(asked, safepoints);
            }
            recording.stop();
            recording.dump(file);
            return new Waits(waits(file, windows), touches);
        } finally {
            Files.deleteIfExists(file);
        }
    }

    /// Safepoints outside of the passes, such as those while pages move back to the device, say nothing about faults.
    private static Samples waits(Path file, List<Window> windows) throws IOException {
        Samples waits = new Samples();
        for (RecordedEvent event : RecordingFile.readAllEvents(file)) {
            if (windows.stream().anyMatch(window -> window.contains(event.getStartTime()))) {
                waits.add((double) TimeUnit.NANOSECONDS.convert(event.getDuration()));
            }
        }
        return waits;
    }
}
