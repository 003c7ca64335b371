package io.github.hmm4j.demos.bench;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.demos.bench.Floor.Fault;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.BenchRow.Target;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Faults of the host and launches on resident data: while the bus is idle, and while a large segment goes to the device.
///
/// The heap must bring no neighbours along with a page.
final class DiscreteBusy {
    private static final int ARGUMENTS = 3;
    private static final int ENTRY_BYTES = 4096;
    private static final long PIECE_BYTES = 256L << 20;

    private final Hmm hmm;
    private final BareOpenCl bare;
    private final Floor.Beside floor;
    private final DiscreteBench.Sizes sizes;
    private final Progress progress;
    private final Subject.Rows rows;
    private final long pageBytes;
    private final MemorySegment faulting;
    private final MemorySegment large;
    private final MemorySegment pinned;
    private final long buffer;
    private final Kernel.Call call;
    private final SplittableRandom random = new SplittableRandom(7);

    DiscreteBusy(Hmm hmm, BareOpenCl bare, Floor.Beside floor, DiscreteBench.Sizes sizes, Progress progress, Subject.Rows rows) {
        this.hmm = hmm;
        this.bare = bare;
        this.floor = floor;
        this.sizes = sizes;
        this.progress = progress;
        this.rows = rows;
        int alignment = hmm.heap().pageSize().bytes();
        pageBytes = alignment;
        faulting = hmm.heap().allocate(sizes.faultBytes(), alignment);
        large = hmm.heap().allocate(sizes.busyBytes(), alignment);
        pinned = bare.pinned(pageBytes);
        buffer = bare.buffer(pageBytes);
        MemorySegment[] arguments = new MemorySegment[ARGUMENTS];
        Arrays.setAll(arguments, _ -> hmm.heap().allocate(pageBytes, alignment));
        call = hmm.program(Source.resource("access.cl")).kernel("empty3").args(arguments[0], arguments[1], arguments[2]);
        call.launch(NDRange.of(1)).await(); // moves what has to be there
    }

    List<BenchRow> rows() throws IOException, InterruptedException, ExecutionException {
        Touch.fill(faulting);
        BenchRow fault = fault();
        Samples faultIdle = new Samples();
        Samples faultBusy = new Samples();
        Samples launchIdle = new Samples();
        Samples launchBusy = new Samples();
        progress.step("discrete busy");
        for (int run = 0; run < 2; run++) { // both kinds of work are there once without what is measured, for the compiler
            boolean measured = run > 0;
            idle(measured ? faultIdle : new Samples(), measured ? launchIdle : new Samples());
            busy(measured ? faultBusy : new Samples(), measured ? launchBusy : new Samples());
            progress.update(run, 2);
        }
        Touch.requireEntries(large);
        double faultRatio = faultBusy.percentile(99) / faultIdle.percentile(99);
        Map<String, Long> faults = facts(Map.of("idleP99Nanos", Math.round(faultIdle.percentile(99)), "idleP50Nanos", Math.round(faultIdle.median()),
            "busyP50Nanos", Math.round(faultBusy.median()), "faults", (long) faultBusy.size()));
        double launchRatio = launchBusy.median() / launchIdle.median();
        Map<String, Long> launches = facts(Map.of("idleP50Nanos", Math.round(launchIdle.median()), "busyP99Nanos", Math.round(launchBusy.percentile(99)),
            "launches", (long) launchBusy.size()));
        return List.of(fault,
            rows.row("discrete.fault.busy", faultBusy.percentile(99) / 1e3, "us", Optional.of(faultRatio), "p99 of the same while nothing else moves",
                faults, Optional.of(Target.atMost(faultRatio, 2)), faultBusy.dividedBy(faultIdle.percentile(99))),
            rows.row("discrete.launch.busy", launchBusy.median() / 1e3, "us", Optional.of(launchRatio), "the same while nothing moves",
                launches, Optional.of(Target.atMost(launchRatio, 1.1)), launchBusy.dividedBy(launchIdle.median())));
    }

    /// Rounds of ours and of their floor in turns: a read command of a page into pinned memory, and the same fault answered by a bare C program.
    private BenchRow fault() throws IOException {
        progress.step("discrete.fault");
        Samples ours = new Samples();
        Samples floors = new Samples();
        Samples medians = new Samples();
        for (int run = -sizes.warmUps(); run < sizes.runs(); run++) {
            double bareNanos = readNanos() + floorNanos();
            Samples round = new Samples();
            faults(round, sizes.faults(), () -> true);
            if (run >= 0) {
                medians.add(round.median());
                floors.add(bareNanos);
                for (int i = 0; i < round.size(); i++) {
                    ours.add(round.get(i));
                }
            }
            progress.update(run + sizes.warmUps(), sizes.runs() + sizes.warmUps());
        }
        Samples ratio = medians.over(floors);
        String baseline = "a read command of the page" + (floor.floor().isPresent() ? ", and " : "; ") + floor.words();
        return rows.ratio("discrete.fault", ours.median() / 1e3, "us", ratio, baseline,
            facts(Map.of("floorNanos", Math.round(floors.median()), "p99Nanos", Math.round(ours.percentile(99)))), Target.atMost(ratio.median(), 1.25));
    }

    private double readNanos() {
        Samples reads = new Samples();
        for (int i = 0; i < sizes.faults(); i++) {
            long start = System.nanoTime();
            long event = bare.api().enqueueRead(bare.queue(), buffer, 0, pageBytes, pinned.address(), true);
            bare.api().flush(bare.queue());
            bare.api().waitFor(event);
            bare.api().releaseEvent(event);
            reads.add((double) (System.nanoTime() - start));
        }
        return reads.median();
    }

    private double floorNanos() throws IOException {
        return floor.floor().isEmpty() ? 0 : Samples.of(floor.floor().get().nanos(Fault.READ, pageBytes, sizes.faults())).median();
    }

    private interface Going {
        boolean on();
    }

    /// Faults, one after the other, on pages in no order, until there are enough or the other work has ended; at least one.
    private void faults(Samples into, int count, Going going) {
        FaultBench.moveToDevice(hmm, faulting);
        touch(into, count, going);
    }

    private void touch(Samples into, int count, Going going) {
        int pages = Math.toIntExact(faulting.byteSize() / pageBytes);
        int[] order = Touch.shuffled(pages, random);
        long[] nanos = new long[pages];
        for (int i = 0; i < Math.min(count, pages) && (i == 0 || going.on()); i++) {
            Touch.read(faulting, pageBytes, order, i, i + 1, nanos);
            into.add((double) nanos[i]);
        }
    }

    private void launches(Samples into, Going going) {
        for (int i = 0; i < sizes.faults() && (i == 0 || going.on()); i++) {
            long start = System.nanoTime();
            call.launch(NDRange.of(1)).await();
            into.add((double) (System.nanoTime() - start));
        }
    }

    private void idle(Samples faults, Samples launches) {
        faults(faults, Integer.MAX_VALUE, () -> true);
        launches(launches, () -> true);
    }

    /// Faults during one move of the large segment, then launches during another.
    private void busy(Samples faults, Samples launches) throws InterruptedException, ExecutionException {
        FaultBench.moveToDevice(hmm, faulting);
        during(going -> touch(faults, Integer.MAX_VALUE, going));
        during(going -> launches(launches, going));
    }

    private interface Work {
        void go(Going going);
    }

    private void during(Work work) throws InterruptedException, ExecutionException {
        Touch.writeEntries(large); // it comes home page by page, or for the first time
        try (ExecutorService other = Executors.newSingleThreadExecutor()) {
            Future<?> move = other.submit(this::moveLarge);
            while (hmm.heap().residency(large.asSlice(0, pageBytes)).onDevice(hmm.device()) == 0 && !move.isDone()) {
                Thread.onSpinWait(); // until it is under way
            }
            work.go(() -> !move.isDone());
            move.get();
        }
        hmm.heap().prefetchHost(large);
        if (large.get(JAVA_LONG, large.byteSize() - ENTRY_BYTES) != large.byteSize() - ENTRY_BYTES) {
            throw new IllegalStateException("wrong bytes after migration");
        }
    }

    /// One piece after the other: the device need not have so much room in one.
    private void moveLarge() {
        for (long offset = 0; offset < large.byteSize(); offset += PIECE_BYTES) {
            FaultBench.moveToDevice(hmm, large.asSlice(offset, Math.min(PIECE_BYTES, large.byteSize() - offset)));
        }
    }

    private Map<String, Long> facts(Map<String, Long> more) {
        Map<String, Long> facts = new TreeMap<>(more);
        facts.put("pageSizeBytes", pageBytes);
        facts.put("busyBytes", sizes.busyBytes());
        return facts;
    }
}
