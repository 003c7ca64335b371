package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.device.InPlace;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import io.github.hmm4j.mirror.PlacementMode;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Many threads do everything at once to the same pages, on two devices that are far too small: nobody may get stuck, and what can be known of the data is checked.
///
/// Counters are added to by kernels on either device and by write views, and never lose a step. Each thread has a region of its own, of which it knows every byte, whose
/// pages others evict and prefetch all the time. Regions come, are protected, move and go.
///
/// On an emulated GPU what nobody wrote is garbage, and what nothing orders ends the process.
///
/// `-Dhmm4j.stress.seconds=300 -Dhmm4j.stress.seed=7` runs it longer, or again.
@Tag("two-devices")
@Tag("emulated-gpu")
@Tag("emulated-igpu")
class StressTest {

    private static final int THREADS = 8;
    private static final int COUNTERS = 6;
    private static final Duration STUCK = Duration.ofSeconds(20);

    enum Devices { PRIVATE, IN_PLACE, MIXED, APERTURE }

    private final long seed = Long.getLong("hmm4j.stress.seed", System.nanoTime());
    private final AtomicLong steps = new AtomicLong();
    private final AtomicBoolean stop = new AtomicBoolean();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final AtomicInteger[] expected = new AtomicInteger[COUNTERS];
    private final List<MemorySegment> counters = new ArrayList<>();

    @ParameterizedTest
    @EnumSource
    void everythingAtOnce(Devices devices) {
        try (Rig rig = rig(devices)) {
            if (devices == Devices.MIXED) {
                InPlace inPlace = rig.device(1).device().inPlace();
                assumeTrue(inPlace.proven(), inPlace.why());
            }
            for (int i = 0; i < COUNTERS; i++) {
                expected[i] = new AtomicInteger();
                counters.add(placed(rig, devices, rig.filled(1 + i % 3, 0)));
            }
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                int index = i;
                threads.add(Thread.ofPlatform().daemon().name("stress-" + i).start(() -> work(rig, devices, index)));
            }
            watch(threads);
            assertThat(failure.get()).as("seed=%d", seed).isNull();
            for (int i = 0; i < COUNTERS; i++) {
                assertThat(rig.values(counters.get(i))).as("counter %d, seed=%d", i, seed).containsExactly(expected[i].get());
            }
        }
    }

    private static Rig rig(Devices devices) {
        return switch (devices) {
            case PRIVATE -> Rig.windows(2, 12);
            case IN_PLACE -> Rig.inPlace(2);
            case APERTURE -> Rig.aperture(2);
            case MIXED -> Rig.windows(2, 12);
        };
    }

    /// Where devices are mixed, one works on the host's pages and the other on its own.
    private static MemorySegment placed(Rig rig, Devices devices, MemorySegment segment) {
        if (devices == Devices.MIXED) {
            rig.heap.place(segment, rig.device(1), PlacementMode.IN_PLACE);
        }
        return segment;
    }

    private void work(Rig rig, Devices devices, int index) {
        SplittableRandom random = new SplittableRandom(seed + index);
        try {
            Own own = new Own(rig, devices, random);
            while (!stop.get()) {
                step(rig, random, own);
                steps.incrementAndGet();
            }
            own.check();
        } catch (Throwable thrown) {
            failure.compareAndSet(null, thrown);
            stop.set(true);
        }
    }

    private void step(Rig rig, SplittableRandom random, Own own) {
        int which = random.nextInt(COUNTERS);
        MemorySegment counter = counters.get(which);
        HmmDevice device = rig.device(random.nextInt(2));
        switch (random.nextInt(14)) {
            case 0, 1 -> {
                expected[which].incrementAndGet();
                Launch launch = rig.add(counter, 1, device.index());
                if (random.nextBoolean()) {
                    launch.await();
                }
            }
            case 2 -> {
                expected[which].incrementAndGet();
                addInAView(rig, counter);
            }
            case 3 -> assertUniform(rig, counter);
            case 4 -> prefetch(rig, counter, device, random.nextBoolean());
            case 5 -> rig.heap.prefetchHost(counter);
            case 6 -> rig.hmm.evictAll(device);
            case 7 -> rig.heap.snapshot(counter, device);
            case 8 -> protectAndBack(rig, random);
            default -> own.step(device.index());
        }
    }

    /// Views of threads are not exclusive of each other, so whoever writes through one holds the segment's monitor.
    private static void addInAView(Rig rig, MemorySegment counter) {
        synchronized (counter) {
            try (HostView view = rig.heap.view(counter, Access.WRITE)) {
                for (long i = 0; i < counter.byteSize() / 4; i++) {
                    view.segment().setAtIndex(JAVA_INT, i, view.segment().getAtIndex(JAVA_INT, i) + 1);
                }
            }
        }
    }

    private static void assertUniform(Rig rig, MemorySegment counter) {
        synchronized (counter) {
            for (int page = 0; page < counter.byteSize() / Rig.PAGE; page++) {
                assertThat(rig.values(Rig.page(counter, page))).hasSize(1);
            }
        }
    }

    private static void prefetch(Rig rig, MemorySegment segment, HmmDevice device, boolean every) {
        if (every) {
            rig.heap.prefetch(segment, device);
        } else {
            rig.heap.migrate(segment, device);
        }
    }

    private static void protectAndBack(Rig rig, SplittableRandom random) {
        MemorySegment passing = rig.filled(1 + random.nextInt(3), 3);
        rig.add(passing, 1, random.nextInt(2));
        rig.heap.protect(passing, Protection.READ);
        try {
            rig.add(passing, 1, random.nextInt(2));
            throw new AssertionError("a launch wrote to protected pages");
        } catch (AccessViolationException expected) {
            assertThat(expected.kind()).isEqualTo(AccessViolationException.Kind.PERMISSION);
        }
        assertThat(rig.values(passing)).containsExactly(4);
        rig.heap.protect(passing, Protection.READ_WRITE);
        if (random.nextBoolean()) {
            rig.add(passing, 1, random.nextInt(2));
        }
        rig.heap.free(passing); // waits for the kernel
    }

    /// A region that one thread owns, so that it knows what must be in it.
    private static final class Own {

        private final Rig rig;
        private final Devices devices;
        private final SplittableRandom random;
        private final int[] values = new int[5];
        private MemorySegment segment;

        Own(Rig rig, Devices devices, SplittableRandom random) {
            this.rig = rig;
            this.devices = devices;
            this.random = random;
            segment = placed(rig, devices, rig.pages(values.length));
        }

        void step(int device) {
            int first = random.nextInt(values.length);
            int count = 1 + random.nextInt(values.length - first);
            MemorySegment part = Rig.pages(segment, first, count);
            int value = random.nextInt();
            switch (random.nextInt(9)) {
                case 0 -> {
                    rig.write(part, value);
                    Arrays.fill(values, first, first + count, value);
                }
                case 1 -> {
                    rig.fill(part, value, device);
                    Arrays.fill(values, first, first + count, value);
                }
                case 2, 3 -> {
                    rig.add(part, value, device);
                    for (int i = first; i < first + count; i++) {
                        values[i] += value;
                    }
                }
                case 4 -> {
                    rig.heap.discard(part);
                    Arrays.fill(values, first, first + count, 0);
                }
                case 5 -> segment = placed(rig, devices, rig.heap.move(segment));
                case 6 -> {
                    check();
                    rig.heap.free(segment);
                    segment = placed(rig, devices, rig.pages(values.length));
                    Arrays.fill(values, 0);
                }
                case 7 -> copyWithin(device);
                default -> check();
            }
        }

        private void copyWithin(int device) {
            MemorySegment from = Rig.page(segment, 0);
            MemorySegment to = Rig.page(segment, 4);
            try {
                rig.kernel("copy").args(Arg.out(to), Arg.in(from), Rig.INTS).launch(NDRange.of(1), rig.device(device));
                values[4] = values[0];
            } catch (DeviceMemoryExhaustedException e) {
                throw new AssertionError("two pages do not fit", e);
            }
        }

        void check() {
            for (int i = 0; i < values.length; i++) {
                assertThat(rig.values(Rig.page(segment, i))).as("page %d", i).containsExactly(values[i]);
            }
        }
    }

    /// Fails with all stacks when nobody makes a step any more.
    private void watch(List<Thread> threads) {
        long end = System.nanoTime() + Duration.ofSeconds(Long.getLong("hmm4j.stress.seconds", 3)).toNanos();
        long seen = -1;
        long since = System.nanoTime();
        while (threads.stream().anyMatch(Thread::isAlive)) {
            if (System.nanoTime() - end > 0) {
                stop.set(true);
            }
            long now = steps.get();
            if (now != seen) {
                seen = now;
                since = System.nanoTime();
            } else if (System.nanoTime() - since > STUCK.toNanos()) {
                throw new AssertionError("no progress after " + now + " steps, seed=" + seed + ":\n" + stacks());
            }
            join(threads.getFirst().isAlive() ? threads.getFirst() : threads.getLast());
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join(Duration.ofMillis(100));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static String stacks() {
        StringBuilder text = new StringBuilder();
        for (Map.Entry<Thread, StackTraceElement[]> entry : Thread.getAllStackTraces().entrySet()) {
            text.append(entry.getKey()).append('\n');
            for (StackTraceElement frame : entry.getValue()) {
                text.append("    ").append(frame).append('\n');
            }
        }
        return text.toString();
    }
}
