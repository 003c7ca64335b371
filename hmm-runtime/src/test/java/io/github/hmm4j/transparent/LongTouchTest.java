package io.github.hmm4j.transparent;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.Background;
import io.github.hmm4j.ByteSize;
import io.github.hmm4j.FirstDevice;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.Launch;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.opencl.InPlaceMode;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess.Mode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Touches of what a kernel uses that runs for long.
class LongTouchTest {

    /// Counts to `rounds` in a way that no compiler sees through, or until it is let go.
    private static final Source SLOW = Source.text("slow.cl", """
            kernel void slow(global uint *x, ulong rounds, ulong go) {
                uint state = x[0];
                for (ulong i = 0; i < rounds && !(go && *(global volatile int *)go); i++) {
                    state = state * 1664525u + 1013904223u;
                    state ^= state >> 7;
                }
                x[1] = state;
                x[0] = 7;
            }
            """);

    /// Some seconds. It must end by itself as well: should the JVM want to stop all threads meanwhile, none could let it go as long as one sleeps in a touch.
    private static final long MOST_ROUNDS = 1L << 32;

    @TempDir
    Path folder;

    private static HmmBuilder builder(Mode mode) {
        return Hmm.builder().heap(ByteSize.mib(16)).hostAccess(mode);
    }

    /// A kernel that runs until it is let go, where it finds an address of this process; elsewhere for a second or longer.
    private static final class Slow implements AutoCloseable {

        private final Arena arena = Arena.ofShared();
        private final MemorySegment go = arena.allocate(JAVA_INT);
        final Launch launch;

        Slow(Hmm hmm, MemorySegment x) {
            assumeTrue(FirstDevice.tellsOfRunningKernels(), "this driver answers no question about a kernel that runs before it has ended");
            Kernel slow = hmm.program(SLOW).kernel("slow");
            boolean held = FirstDevice.offers(InPlaceMode.ADDRESS);
            launch = slow.args(x, held ? MOST_ROUNDS : 5 * roundsOfAFifth(slow, x), held ? go.address() : 0L).launch(NDRange.of(1));
        }

        private static long roundsOfAFifth(Kernel slow, MemorySegment x) {
            long rounds = 1 << 20;
            long nanos;
            do {
                rounds *= 2;
                nanos = Long.MAX_VALUE; // the least of a few: what the machine does besides must not make a short kernel look long
                for (int i = 0; i < 3 && nanos >= 200_000_000L; i++) {
                    long before = System.nanoTime();
                    slow.args(x, rounds, 0L).launch(NDRange.of(1)).await();
                    nanos = Math.min(nanos, System.nanoTime() - before);
                }
            } while (nanos < 200_000_000L);
            return rounds;
        }

        void letGo() {
            go.set(JAVA_INT, 0, 1);
        }

        @Override
        public void close() {
            letGo();
            launch.await();
            arena.close();
        }
    }

    @ParameterizedTest
    @EnumSource(value = Mode.class, names = {"UFFD", "SIGSEGV"})
    void aTouchBecomesAnErrorInTimeAndThePageStays(Mode mode) {
        try (Hmm hmm = builder(mode).touchTimeout(Duration.ofMillis(10)).open()) {
            MemorySegment x = hmm.heap().allocate(JAVA_INT, 2);
            try (Slow _ = new Slow(hmm, x)) {
                assertThatThrownBy(() -> read(x)).isInstanceOf(InternalError.class);
            }
            assertThat(read(x)).isEqualTo(7);
        }
    }

    /// Who ends segments asks every thread, and one that sleeps in a touch does not answer: so that is put off while kernels run.
    @ParameterizedTest
    @EnumSource(value = Mode.class, names = {"UFFD", "SIGSEGV"})
    void whoFreesSomethingElseDoesNotWaitForTheTouch(Mode mode) {
        try (Hmm hmm = builder(mode).open()) {
            MemorySegment x = hmm.heap().allocate(JAVA_INT, 2);
            MemorySegment other = hmm.heap().allocate(JAVA_INT, 2);
            System.gc(); // none is due then while the thread sleeps in its touch, which would wait for it
            Background<Boolean> touch;
            try (Slow slow = new Slow(hmm, x)) {
                touch = Background.run(() -> assertThat(read(x)).isEqualTo(7)).awaitTouching();
                hmm.heap().free(other);
                assertThat(slow.launch.isDone()).as("the kernel, when other memory is free").isFalse();
                assertThatThrownBy(() -> hmm.heap().residency(other)).isInstanceOf(IllegalArgumentException.class);
            }
            touch.join();
            hmm.heap().free(hmm.heap().allocate(1));
            assertThat(other.scope().isAlive()).isFalse();
        }
    }

    private static int read(MemorySegment x) {
        return x.getAtIndex(JAVA_INT, 0);
    }

    @ParameterizedTest
    @EnumSource(value = Mode.class, names = {"UFFD", "SIGSEGV"})
    void theTimelineSaysWhoWaitedForWhat(Mode mode) throws IOException, InterruptedException {
        Path file = folder.resolve("long.jfr");
        try (Recording recording = new Recording()) {
            recording.enable("hmm4j.LongTouch");
            recording.start();
            Hmm hmm = builder(mode).open();
            try (hmm) {
                MemorySegment x = hmm.heap().allocate(JAVA_INT, 2);
                AtomicInteger seen = new AtomicInteger();
                CountDownLatch touched = new CountDownLatch(1);
                try (Slow _ = new Slow(hmm, x)) {
                    Thread _ = Thread.ofPlatform().daemon().name("a toucher").start(() -> {
                        seen.set(read(x));
                        touched.countDown();
                        LockSupport.park(); // its name is asked for as long as the heap is open
                    });
                    while (hmm.report().count(Counter.LONG_WAITS) == 0) {
                        Thread.sleep(1);
                    }
                }
                touched.await();
                assertThat(seen).hasValue(7);
            }
            assertThat(hmm.report().count(Counter.LONG_WAITS)).isEqualTo(1);
            recording.stop();
            recording.dump(file);
        }
        List<RecordedEvent> touches = RecordingFile.readAllEvents(file);
        assertThat(touches).hasSize(1);
        RecordedEvent touch = touches.getFirst();
        assertThat(touch.getString("kernel")).isEqualTo("slow");
        assertThat(touch.getBoolean("givenUp")).isFalse();
        assertThat(touch.getBoolean("write")).isFalse();
        assertThat(touch.getString("toucher")).isEqualTo("a toucher");
        assertThat(touch.getDuration("waitedNanos")).isGreaterThanOrEqualTo(Duration.ofMillis(100));
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, Long.MAX_VALUE})
    void refusesTimeoutsThatAreNone(long seconds) {
        assertThatThrownBy(() -> Hmm.builder().touchTimeout(Duration.ofSeconds(seconds)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("touchTimeout=");
    }
}
