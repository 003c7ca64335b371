package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.migrate.MigrationReport;
import io.github.hmm4j.migrate.PageOutcome;
import io.github.hmm4j.migrate.Steps;
import io.github.hmm4j.pager.HostAccess.Mode;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A migrating Java thread is stopped between two steps, as a safepoint may stop it, and the host touches the page by plain loads and stores meanwhile: whatever the thread does
/// late then must not lose a store nor show old data.
class LateEffectsTest {

    private static final int PAGE = 4096;
    private static final int INTS = PAGE / 4;

    /// Stops the first migration that comes to a step, from when it is armed.
    private static final class Stop implements Steps {

        private final CountDownLatch reached = new CountDownLatch(1);
        private final CountDownLatch goOn = new CountDownLatch(1);
        private volatile Steps.Step where;

        @Override
        public void at(Step step) {
            if (step == where) {
                where = null;
                reached.countDown();
                await(goOn);
            }
        }

        static void await(CountDownLatch latch) {
            try {
                assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    private static Hmm open(Mode mode, Steps steps) {
        return Hmm.builder().heap(ByteSize.mib(16)).pageSize(PAGE).faultAround(0).hostAccess(mode).steps(steps).open();
    }

    private static Launch add(Hmm hmm, MemorySegment a, int delta) {
        return hmm.program(Source.resource("access.cl")).kernel("add_ints").args(a, delta, INTS).launch(NDRange.of(INTS));
    }

    private static void fill(MemorySegment a, int value) {
        for (int i = 0; i < INTS; i++) {
            a.setAtIndex(JAVA_INT, i, value);
        }
    }

    private static void requireAll(MemorySegment a, int value) {
        assertThat(a.toArray(JAVA_INT)).containsOnly(value);
    }

    /// On the host, valid, and not mapped there: the first touch faults.
    private static void unmap(Hmm hmm, MemorySegment a) {
        hmm.heap().prefetch(a, hmm.device());
        hmm.evictAll(hmm.device());
    }

    /// The copy has ended, and holds what the host stored before; the claim must not be committed any more.
    @ParameterizedTest
    @EnumSource(value = Mode.class, names = {"UFFD", "SIGSEGV"})
    void storeAfterTheCopy(Mode mode) {
        Stop stop = new Stop();
        try (Hmm hmm = open(mode, stop)) {
            MemorySegment a = hmm.heap().allocate(PAGE, PAGE);
            fill(a, 1);
            stop.where = Steps.Step.COPIED;
            Background<MigrationReport> migration = Background.call(() -> hmm.heap().prefetch(a, hmm.device()));
            Stop.await(stop.reached);
            requireAll(a, 1);
            fill(a, 2);
            requireAll(a, 2);
            stop.goOn.countDown();
            assertThat(migration.join().count(PageOutcome.RACED)).isEqualTo(1);
            requireAll(a, 2);
            assertThat(hmm.report().count(Counter.FAULT_ABORTS)).isEqualTo(1);
            assertThat(hmm.report().count(Counter.MIGRATE_RACED_PAGES)).isEqualTo(1);
            add(hmm, a, 1).await();
            requireAll(a, 3);
        }
    }

    /// A load alone takes the page back as well where the device was going to write.
    @ParameterizedTest
    @EnumSource(value = Mode.class, names = {"UFFD", "SIGSEGV"})
    void loadAfterTheCopy(Mode mode) {
        Stop stop = new Stop();
        try (Hmm hmm = open(mode, stop)) {
            MemorySegment a = hmm.heap().allocate(PAGE, PAGE);
            fill(a, 1);
            stop.where = Steps.Step.COPIED;
            Background<MigrationReport> migration = Background.call(() -> hmm.heap().prefetch(a, hmm.device()));
            Stop.await(stop.reached);
            requireAll(a, 1);
            stop.goOn.countDown();
            assertThat(migration.join().count(PageOutcome.RACED)).isEqualTo(1);
            fill(a, 2); // were the page the device's by now, this would be lost
            add(hmm, a, 1).await();
            requireAll(a, 3);
        }
    }

    /// The claim is made, the mapping is still there: the store passes unseen, and nothing has been copied yet.
    @ParameterizedTest
    @EnumSource(value = Mode.class, names = {"UFFD", "SIGSEGV"})
    void storeThroughTheMappingOfAClaimedPage(Mode mode) {
        Stop stop = new Stop();
        try (Hmm hmm = open(mode, stop)) {
            MemorySegment a = hmm.heap().allocate(PAGE, PAGE);
            fill(a, 1);
            stop.where = Steps.Step.CLAIMED;
            Background<MigrationReport> migration = Background.call(() -> hmm.heap().prefetch(a, hmm.device()));
            Stop.await(stop.reached);
            fill(a, 2);
            stop.goOn.countDown();
            assertThat(migration.join().count(PageOutcome.MOVED)).isEqualTo(1);
            add(hmm, a, 1).await();
            requireAll(a, 3);
        }
    }

    /// The claim is lost, and then the host's mapping is taken away late: that costs a fault and nothing else.
    @ParameterizedTest
    @EnumSource(value = Mode.class, names = {"UFFD", "SIGSEGV"})
    void mappingTakenAwayAfterTheClaimWasLost(Mode mode) {
        Stop stop = new Stop();
        try (Hmm hmm = open(mode, stop)) {
            MemorySegment a = hmm.heap().allocate(PAGE, PAGE);
            fill(a, 1);
            unmap(hmm, a);
            stop.where = Steps.Step.CLAIMED;
            Background<MigrationReport> migration = Background.call(() -> hmm.heap().prefetch(a, hmm.device()));
            Stop.await(stop.reached);
            fill(a, 2);
            stop.goOn.countDown();
            assertThat(migration.join().count(PageOutcome.RACED)).isEqualTo(1);
            requireAll(a, 2);
            fill(a, 3);
            assertThat(hmm.report().count(Counter.FAULT_REMAPPED)).isPositive();
            add(hmm, a, 1).await();
            requireAll(a, 4);
        }
    }

    /// For a kernel that only reads: the host's store sends the launch round.
    @ParameterizedTest
    @EnumSource(value = Mode.class, names = {"UFFD", "SIGSEGV"})
    void storeToWhatALaunchIsGoingToRead(Mode mode) {
        Stop stop = new Stop();
        try (Hmm hmm = open(mode, stop)) {
            MemorySegment in = hmm.heap().allocate(PAGE, PAGE);
            MemorySegment out = hmm.heap().allocate(PAGE, PAGE);
            fill(in, 1);
            fill(out, 0);
            Kernel copy = hmm.program(Source.resource("access.cl")).kernel("copy_ints");
            hmm.heap().prefetch(out, hmm.device());
            stop.where = Steps.Step.COPIED;
            Background<Boolean> launch = Background.run(() -> copy.args(in, out, INTS).launch(NDRange.of(INTS)).await());
            Stop.await(stop.reached);
            requireAll(in, 1);
            fill(in, 2);
            stop.goOn.countDown();
            launch.join();
            requireAll(out, 2);
            requireAll(in, 2);
            assertThat(hmm.report().count(Counter.FAULT_ABORTS)).isEqualTo(1);
            assertThat(hmm.report().count(Counter.MIGRATE_RACED_PAGES)).isEqualTo(1);
            assertThat(hmm.report().count(Counter.LAUNCH_RETRIES)).isPositive();
        }
    }

    /// The first touch of an empty page that a device is about to fill.
    @ParameterizedTest
    @EnumSource(value = Mode.class, names = {"UFFD", "SIGSEGV"})
    void firstStoreToAPageThatADeviceFills(Mode mode) {
        Stop stop = new Stop();
        try (Hmm hmm = open(mode, stop)) {
            MemorySegment a = hmm.heap().allocate(PAGE, PAGE);
            stop.where = Steps.Step.COPIED;
            Background<MigrationReport> migration = Background.call(() -> hmm.heap().prefetch(a, hmm.device()));
            Stop.await(stop.reached);
            requireAll(a, 0);
            fill(a, 5);
            stop.goOn.countDown();
            assertThat(migration.join().count(PageOutcome.RACED)).isEqualTo(1);
            add(hmm, a, 1).await();
            requireAll(a, 6);
        }
    }
}
