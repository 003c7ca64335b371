package io.github.hmm4j.demos.bench;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.Residency;
import io.github.hmm4j.demos.bench.Floor.Fault;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.pager.HostAccess;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Single faults beside the bare floor: of a page that only the device has, and of a store to a page that both have. And how many a second one and two threads have served.
///
/// The heap must bring no neighbours along with a page.
final class FaultRows {
    /// Of a load that the crew answers, as the floor's other thread does; of one that is answered in the touching thread; of a store.
    private static final double CREW_READ = 1.12;
    private static final double IN_THREAD_READ = 1.0;
    private static final double UPGRADE = 1.25;
    private static final double TWO_THREADS = 1.5;

    private final Hmm hmm;
    private final FaultBench.Sizes sizes;
    private final Floor.Beside beside;
    private final Progress progress;
    private final Subject.Rows rows;
    private final long pageBytes;
    private final MemorySegment segment;
    private final SplittableRandom random = new SplittableRandom(7);

    FaultRows(Hmm hmm, FaultBench.Sizes sizes, Floor.Beside beside, Progress progress) {
        this.hmm = hmm;
        this.sizes = sizes;
        this.beside = beside;
        this.progress = progress;
        rows = Subject.rows(hmm);
        pageBytes = hmm.heap().pageSize().bytes();
        segment = hmm.heap().allocate(sizes.singleBytes(), hmm.heap().pageSize().bytes());
    }

    List<BenchRow> rows() throws Exception {
        Touch.fill(segment);
        List<BenchRow> made = List.of(latency("fault.read", Fault.READ, readLimit()), latency("fault.write_upgrade", Fault.UPGRADE, UPGRADE), parallel());
        hmm.heap().free(segment);
        return made;
    }

    private double readLimit() {
        return hmm.hostAccess().mode() == HostAccess.Mode.UFFD_IN_THREAD ? IN_THREAD_READ : CREW_READ;
    }

    /// Rounds of ours and of the floor in turns, in changing order; each round counts with its median.
    private BenchRow latency(String kind, Fault fault, double limit) throws IOException {
        String name = FaultBench.named(kind, pageBytes);
        progress.step(name);
        Samples ours = new Samples();
        Samples floors = new Samples();
        Samples medians = new Samples();
        Samples floorMedians = new Samples();
        for (int run = -sizes.warmUps(); run < sizes.runs(); run++) {
            boolean floorFirst = run % 2 == 0;
            long[] floor = floorFirst ? floorNanos(fault) : new long[0];
            long[] nanos = nanos(fault, run);
            floor = floorFirst ? floor : floorNanos(fault);
            if (run >= 0) {
                Arrays.stream(nanos).asDoubleStream().forEach(ours::add);
                Arrays.stream(floor).asDoubleStream().forEach(floors::add);
                medians.add(Samples.of(nanos).median());
                if (floor.length > 0) {
                    floorMedians.add(Samples.of(floor).median());
                }
            }
            progress.update(run + sizes.warmUps(), sizes.runs() + sizes.warmUps());
        }
        Map<String, Long> facts = facts(faultsPerRound());
        facts.put("p90Nanos", Math.round(ours.percentile(90)));
        double microseconds = ours.median() / 1e3;
        if (beside.floor().isEmpty()) { // without its floor the row has no ratio, and cannot have met its target
            return rows.row(name, microseconds, "us", Optional.empty(), beside.words(), facts,
                Optional.of(Target.atMost(Double.POSITIVE_INFINITY, limit)), medians);
        }
        facts.put("floorP50Nanos", Math.round(floors.median()));
        facts.put("floorP90Nanos", Math.round(floors.percentile(90)));
        Samples ratio = medians.over(floorMedians);
        return rows.ratio(name, microseconds, "us", ratio, beside.words(), facts, Target.atMost(ratio.median(), limit));
    }

    private long[] floorNanos(Fault fault) throws IOException {
        return beside.floor().isPresent() ? beside.floor().get().nanos(fault, pageBytes, faultsPerRound()) : new long[0];
    }

    private long[] nanos(Fault fault, int run) {
        int count = faultsPerRound();
        int[] order = shuffledOnDevice();
        long[] nanos = new long[count];
        Touch.read(segment, pageBytes, order, 0, count, nanos);
        FaultBench.requireAtHome(hmm, segment, count * pageBytes);
        if (fault == Fault.UPGRADE) { // reading has shared the pages, which takes their first faults out of what is measured
            Touch.write(segment, pageBytes, order, 0, count, (byte) run, nanos);
            Touch.requireWritten(segment, pageBytes, order, 0, count, (byte) run);
            requireUpgraded(count);
        }
        return nanos;
    }

    private void requireUpgraded(int count) {
        Residency residency = hmm.heap().residency(segment);
        if (residency.hostBytes() != count * pageBytes || residency.sharedBytes() != 0) {
            throw new IllegalStateException("expected upgraded pages=" + count + " on the host only: " + residency);
        }
    }

    private BenchRow parallel() throws Exception {
        String name = FaultBench.named("fault.parallel", pageBytes);
        progress.step(name);
        Samples one = new Samples();
        Samples two = new Samples();
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            for (int run = -sizes.warmUps(); run < sizes.runs(); run++) {
                double alone = faultsPerSecond(threads, 1);
                double together = faultsPerSecond(threads, 2);
                if (run >= 0) {
                    one.add(alone);
                    two.add(together);
                }
                progress.update(run + sizes.warmUps(), sizes.runs() + sizes.warmUps());
            }
        }
        Samples ratio = two.over(one);
        return rows.ratio(name, two.median(), "faults/s", ratio, "one thread", facts(parallelFaults()), Target.atLeast(ratio.median(), TWO_THREADS));
    }

    /// From when the first thread starts to when the last one has all its pages; no two threads touch the same page.
    private double faultsPerSecond(ExecutorService threads, int count) throws Exception {
        int[] order = shuffledOnDevice();
        int faults = parallelFaults();
        long[] nanos = new long[faults];
        CyclicBarrier barrier = new CyclicBarrier(count);
        List<Callable<long[]>> shares = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int from = faults * i / count;
            int end = faults * (i + 1) / count;
            shares.add(() -> {
                barrier.await();
                long start = System.nanoTime();
                Touch.read(segment, pageBytes, order, from, end, nanos);
                return new long[] {start, System.nanoTime()};
            });
        }
        long first = Long.MAX_VALUE;
        long last = Long.MIN_VALUE;
        for (Future<long[]> share : threads.invokeAll(shares)) {
            first = Math.min(first, share.get()[0]);
            last = Math.max(last, share.get()[1]);
        }
        FaultBench.requireAtHome(hmm, segment, faults * pageBytes);
        return faults * 1e9 / (last - first);
    }

    private int[] shuffledOnDevice() {
        FaultBench.moveToDevice(hmm, segment);
        return Touch.shuffled(pages(), random);
    }

    private int pages() {
        return Math.toIntExact(segment.byteSize() / pageBytes);
    }

    private int faultsPerRound() {
        return Math.min(sizes.faultsPerRound(), pages());
    }

    private int parallelFaults() {
        return Math.min(sizes.parallelFaults(), pages());
    }

    private Map<String, Long> facts(int faultsPerRun) {
        return new TreeMap<>(Map.of("pageSizeBytes", pageBytes, "lengthBytes", segment.byteSize(), "faultsPerRun", (long) faultsPerRun));
    }
}
