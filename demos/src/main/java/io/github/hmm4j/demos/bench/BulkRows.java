package io.github.hmm4j.demos.bench;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.Report;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.migrate.MigrationReport;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;

/// Moves of memory that the host may touch at any time: as a whole, and by reading it page after page.
final class BulkRows {
    private final Hmm hmm;
    private final BareOpenCl bare;
    private final FaultBench.Sizes sizes;
    private final Progress progress;
    private final Subject.Rows rows;
    private final long pageBytes;
    private final long lengthBytes;
    private final MemorySegment segment;
    private final long expectedSum;

    BulkRows(Hmm hmm, BareOpenCl bare, FaultBench.Sizes sizes, Progress progress) {
        this.hmm = hmm;
        this.bare = bare;
        this.sizes = sizes;
        this.progress = progress;
        rows = Subject.rows(hmm);
        pageBytes = hmm.heap().pageSize().bytes();
        lengthBytes = sizes.bulkBytes();
        segment = hmm.heap().allocate(lengthBytes, hmm.heap().pageSize().bytes());
        expectedSum = Touch.expectedSum(lengthBytes);
    }

    List<BenchRow> rows() {
        Touch.fill(segment);
        Samples toDevice = new Samples();
        Samples toHost = new Samples();
        Samples loops = new Samples();
        Samples mapping = new Samples();
        measureMoves(toDevice, toHost, loops, mapping);
        Touch.requireSum(Touch.sum(segment), expectedSum);
        BenchRow scan = scan();
        hmm.heap().free(segment);
        return List.of(move("migrate.bulk.h2d", toDevice, loops, 1.15, new Samples()), move("migrate.bulk.d2h", toHost, loops, 1.6, mapping), scan);
    }

    /// To the device, the loop, to the host, the loop; both moves have the mean of the two loops as neighbour.
    private void measureMoves(Samples toDevice, Samples toHost, Samples loops, Samples mapping) {
        progress.step(FaultBench.named("migrate.bulk", pageBytes));
        long source = bare.buffer(lengthBytes);
        long target = bare.buffer(lengthBytes);
        for (int run = -sizes.warmUps(); run < sizes.runs(); run++) {
            double there = millis(() -> requireMoved(hmm.heap().prefetch(segment, hmm.device())));
            double loop = millis(() -> bare.copyInPieces(source, target, lengthBytes));
            Report before = hmm.report();
            double back = millis(() -> requireMoved(hmm.heap().prefetchHost(segment)));
            OptionalLong mappingNanos = mappingNanos(hmm.report().since(before));
            loop = (loop + millis(() -> bare.copyInPieces(source, target, lengthBytes))) / 2;
            if (run >= 0) {
                toDevice.add(there);
                toHost.add(back);
                loops.add(loop);
                mappingNanos.ifPresent(nanos -> mapping.add((double) nanos));
            }
            progress.update(run + sizes.warmUps(), sizes.runs() + sizes.warmUps());
        }
    }

    /// What installing mappings has taken, if the heap counts it.
    private static OptionalLong mappingNanos(Report report) {
        return report.counts().keySet().stream().filter(counter -> counter.label().equals("map.nanos")).mapToLong(report::count).findFirst();
    }

    private BenchRow move(String kind, Samples millis, Samples loops, double limit, Samples mappingNanos) {
        Map<String, Long> facts = facts();
        if (mappingNanos.size() > 0) {
            facts.put("mappingNanos", Math.round(mappingNanos.median()));
            facts.put("otherNanos", Math.round(millis.median() * 1e6 - mappingNanos.median()));
        }
        facts.put("loopNanos", Math.round(loops.median() * 1e6));
        Samples ratio = millis.over(loops);
        return rows.ratio(FaultBench.named(kind, pageBytes), millis.median(), "ms", ratio, "copies of 2 MiB between two buffers", facts,
            Target.atMost(ratio.median(), limit));
    }

    private BenchRow scan() {
        String name = FaultBench.named("scan.device", pageBytes);
        progress.step(name);
        Samples scans = new Samples();
        Samples fetches = new Samples();
        Samples residentScans = new Samples();
        for (int run = -sizes.warmUps(); run < sizes.runs(); run++) {
            boolean scanFirst = run % 2 == 0;
            double early = scanFirst ? scanFromDevice() : fetchFromDevice();
            double resident = scanMillis();
            double late = scanFirst ? fetchFromDevice() : scanFromDevice();
            if (run >= 0) {
                scans.add(scanFirst ? early : late);
                fetches.add(scanFirst ? late : early);
                residentScans.add(resident);
            }
            progress.update(run + sizes.warmUps(), sizes.runs() + sizes.warmUps());
        }
        Map<String, Long> facts = facts();
        facts.put("fetchNanos", Math.round(fetches.median() * 1e6));
        facts.put("residentScanNanos", Math.round(residentScans.median() * 1e6));
        Samples ratio = scans.over(fetches);
        return rows.ratio(name, scans.median(), "ms", ratio, "prefetchHost of it", facts, Target.atMost(ratio.median(), 1.15));
    }

    private double scanFromDevice() {
        FaultBench.moveToDevice(hmm, segment);
        double millis = scanMillis();
        FaultBench.requireAtHome(hmm, segment, lengthBytes);
        return millis;
    }

    private double fetchFromDevice() {
        FaultBench.moveToDevice(hmm, segment);
        return millis(() -> requireMoved(hmm.heap().prefetchHost(segment)));
    }

    private double scanMillis() {
        long start = System.nanoTime();
        long sum = Touch.sum(segment);
        double millis = (System.nanoTime() - start) / 1e6;
        Touch.requireSum(sum, expectedSum);
        return millis;
    }

    private Map<String, Long> facts() {
        return new TreeMap<>(Map.of("lengthBytes", lengthBytes, "pageSizeBytes", pageBytes));
    }

    private void requireMoved(MigrationReport report) {
        if (!report.allResident() || report.bytesCopied() != lengthBytes) {
            throw new IllegalStateException("expected " + lengthBytes + " bytes to move, but: " + report);
        }
    }

    private static double millis(Runnable work) {
        long start = System.nanoTime();
        work.run();
        return (System.nanoTime() - start) / 1e6;
    }
}
