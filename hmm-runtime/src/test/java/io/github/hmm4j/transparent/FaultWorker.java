package io.github.hmm4j.transparent;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.text.ParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import jdk.jfr.Configuration;
import jdk.jfr.Recording;

/// A program that faults all the time in a JVM that stops its threads all the time.
///
/// Each of some threads owns a region and knows every value in it. Round by round it stores a ramp, launches a kernel that adds to it, moves a part of somebody else's region, and
/// reads everything again, all with plain loads and stores, one page a fault. Another thread makes garbage without a pause, and another disturbs. The work is a number of rounds, and of
/// collections and disturbances, whichever takes longest; nothing depends on time.
///
/// Arguments: `MODE threads pages rounds collections disturbance disturbances`. Last line: `done name=number ...`.
final class FaultWorker {

    /// What else goes on.
    enum Disturbance { NONE, STACKS, COLLECT, SPAWN }

    private static final int PAGE = 4096;
    private static final int INTS = PAGE / 4;
    private static final int GARBAGE_KEPT = 128;
    private static final int GARBAGE_BYTES = 64 << 10;

    private final Hmm hmm;
    private final Kernel add;
    private final List<MemorySegment> regions = new ArrayList<>();
    private final int rounds;
    private final long collections;
    private final Disturbance disturbance;
    private final long disturbances;
    private final AtomicLong disturbed = new AtomicLong();
    private final AtomicLong roundsDone = new AtomicLong();
    private final AtomicLong garbage = new AtomicLong();
    private final AtomicLong framesSeen = new AtomicLong();

    private FaultWorker(Hmm hmm, int threads, int pages, int rounds, long collections, Disturbance disturbance, long disturbances) {
        this.hmm = hmm;
        this.rounds = rounds;
        this.collections = collections;
        this.disturbance = disturbance;
        this.disturbances = disturbances;
        add = hmm.program(Source.resource("access.cl")).kernel("add_ints");
        for (int i = 0; i < threads; i++) {
            regions.add(hmm.heap().allocate((long) pages * PAGE, PAGE));
        }
    }

    public static void main(String[] args) throws InterruptedException {
        Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> {
            failure.printStackTrace();
            Runtime.getRuntime().halt(1);
        });
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(64)).pageSize(PAGE).faultAround(0).hostAccess(HostAccess.Mode.valueOf(args[0])).open()) {
            new FaultWorker(hmm, Integer.parseInt(args[1]), Integer.parseInt(args[2]), Integer.parseInt(args[3]), Long.parseLong(args[4]),
                    Disturbance.valueOf(args[5]), Long.parseLong(args[6])).run();
        }
    }

    private void run() throws InterruptedException {
        String file = System.getProperty("hmm.test.recording");
        if (file == null) {
            work();
            return;
        }
        MemorySegment first = regions.getFirst();
        int ints = (int) (first.byteSize() / 4);
        add.args(first, 0, ints).launch(NDRange.of(ints)).await(); // compiled before threads are sampled: POCL's compiler loses temporary files of its own then
        try (Recording recording = new Recording(Configuration.getConfiguration("profile"))) {
            recording.setDestination(Path.of(file));
            recording.start();
            work();
            recording.stop();
        } catch (IOException | ParseException e) {
            throw new AssertionError(e);
        }
    }

    private void work() throws InterruptedException {
        long collectionsBefore = collectionsSoFar();
        Thread.ofPlatform().daemon().name("garbage").start(this::makeGarbage);
        Thread.ofPlatform().daemon().name("disturb").start(this::disturb);
        List<Thread> touchers = new ArrayList<>();
        for (int i = 0; i < regions.size(); i++) {
            int index = i;
            touchers.add(Thread.ofPlatform().name("touch-" + i).start(() -> touch(index, collectionsBefore)));
        }
        for (Thread toucher : touchers) {
            toucher.join();
        }
        var report = hmm.report();
        System.out.printf("done rounds=%d faults=%d fetched=%d aborted=%d waits=%d collections=%d disturbances=%d frames=%d garbageMiB=%d%n", roundsDone.get(),
                report.count(Counter.FAULTS_READ) + report.count(Counter.FAULTS_WRITE), report.count(Counter.FAULT_FETCHED_PAGES), report.count(Counter.FAULT_ABORTS),
                report.count(Counter.FAULT_WAITS), collectionsSoFar() - collectionsBefore, disturbed.get(), framesSeen.get(), garbage.get() >> 20);
    }

    private static long collectionsSoFar() {
        return ManagementFactory.getGarbageCollectorMXBeans().stream().mapToLong(GarbageCollectorMXBean::getCollectionCount).sum();
    }

    private void touch(int index, long collectionsBefore) {
        MemorySegment mine = regions.get(index);
        MemorySegment other = regions.get((index + 1) % regions.size());
        SplittableRandom random = new SplittableRandom(index);
        int ints = (int) (mine.byteSize() / 4);
        for (int round = 0; round < rounds || collectionsSoFar() - collectionsBefore < collections || disturbed.get() < disturbances; round++) {
            int start = random.nextInt();
            int delta = random.nextInt();
            store(mine, ints, start);
            add.args(mine, delta, ints).launch(NDRange.of(ints)); // not awaited: a touch of these pages waits for it
            move(other, random);
            requireSum(sumOfFirsts(mine, ints), ints, start + delta);
            check(mine, ints, start + delta);
            roundsDone.incrementAndGet();
        }
    }

    private static void store(MemorySegment a, int ints, int start) {
        for (int i = 0; i < ints; i++) {
            a.setAtIndex(JAVA_INT, i, start + 3 * i);
        }
    }

    private void move(MemorySegment a, SplittableRandom random) {
        long pages = a.byteSize() / PAGE;
        long first = random.nextLong(pages);
        MemorySegment part = a.asSlice(first * PAGE, (1 + random.nextLong(pages - first)) * PAGE);
        if (random.nextInt(4) == 0) {
            hmm.heap().prefetchHost(part);
        } else {
            hmm.heap().prefetch(part, hmm.device());
        }
    }

    /// A counted loop that faults in every round, and need not look for safepoints in between.
    private static int sumOfFirsts(MemorySegment a, int ints) {
        int sum = 0;
        for (int i = 0; i < ints; i += INTS) {
            sum += a.getAtIndex(JAVA_INT, i);
        }
        return sum;
    }

    private static void requireSum(int sum, int ints, int start) {
        int expected = 0;
        for (int i = 0; i < ints; i += INTS) {
            expected += start + 3 * i;
        }
        if (sum != expected) {
            throw new AssertionError("sum of the first ints of all pages: expected %d, got %d".formatted(expected, sum));
        }
    }

    private static void check(MemorySegment a, int ints, int start) {
        for (int i = 0; i < ints; i++) {
            int value = a.getAtIndex(JAVA_INT, i);
            if (value != start + 3 * i) {
                throw new AssertionError("int %d of page %d: expected %d, got %d".formatted(i % INTS, i / INTS, start + 3 * i, value));
            }
        }
    }

    private void makeGarbage() {
        byte[][] kept = new byte[GARBAGE_KEPT][];
        SplittableRandom random = new SplittableRandom();
        while (true) {
            byte[] piece = new byte[random.nextInt(GARBAGE_BYTES)];
            kept[random.nextInt(GARBAGE_KEPT)] = piece;
            garbage.addAndGet(piece.length);
        }
    }

    private void disturb() {
        while (disturbance != Disturbance.NONE) {
            switch (disturbance) {
                case STACKS -> framesSeen.addAndGet(Thread.getAllStackTraces().values().stream().mapToInt(frames -> frames.length).sum());
                case COLLECT -> System.gc();
                case SPAWN -> spawn();
                case NONE -> throw new AssertionError();
            }
            disturbed.incrementAndGet();
        }
    }

    private static void spawn() {
        try {
            int status = new ProcessBuilder("true").start().waitFor();
            if (status != 0) {
                throw new AssertionError("a child process ended with status " + status);
            }
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
