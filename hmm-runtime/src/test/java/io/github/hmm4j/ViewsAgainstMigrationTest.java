package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.sim.Operation;
import io.github.hmm4j.device.sim.SimLane;
import io.github.hmm4j.migrate.MigrationReport;
import io.github.hmm4j.migrate.PageOutcome;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Views while pages are on their way, and migrators against each other.
@Timeout(60)
class ViewsAgainstMigrationTest {

    @Test
    void aWriteViewAbortsAMigrationDuringTheCopy() {
        try (Rig rig = Rig.windows(1, 32)) {
            MemorySegment a = rig.filled(2, 1);
            rig.sim().pause(SimLane.COPY);
            Background<MigrationReport> migration = Background.call(() -> rig.heap.prefetch(a, rig.device(0)));
            rig.sim().awaitSubmitted(SimLane.COPY, 1);
            rig.write(Rig.page(a, 0), 9);
            rig.sim().resume(SimLane.COPY);
            MigrationReport report = migration.join();
            long first = report.pages().first();
            assertThat(report.outcome(first)).isEqualTo(PageOutcome.RACED);
            assertThat(report.outcome(first + 1)).isEqualTo(PageOutcome.MOVED);
            assertThat(report.allResident()).isFalse();
            assertThat(rig.count(Counter.MIGRATE_RACED_PAGES)).isEqualTo(1);
            assertThat(rig.values(Rig.page(a, 0))).containsExactly(9);
            assertThat(rig.values(Rig.page(a, 1))).containsExactly(1);
        }
    }

    @Test
    void aReadViewAbortsAWriteClaimAsWell() {
        try (Rig rig = Rig.windows(1, 32)) {
            MemorySegment a = rig.filled(1, 1);
            rig.sim().pause(SimLane.COPY);
            Background<Launch> launch = Background.call(() -> rig.add(a, 1, 0));
            rig.sim().awaitSubmitted(SimLane.COPY, 1);
            HostView view = rig.heap.view(a, Access.READ);
            rig.sim().resume(SimLane.COPY);
            ViewsAgainstLaunchesTest.awaitCount(rig, Counter.LAUNCH_WAITS, 1);
            assertThat(view.segment().get(JAVA_INT, 0)).isEqualTo(1);
            view.close();
            launch.join().await();
            assertThat(rig.values(a)).containsExactly(2);
        }
    }

    @Test
    void aReadViewBesideAReadClaimSurvives() {
        try (Rig rig = Rig.windows(1, 32)) {
            MemorySegment in = rig.filled(1, 1);
            MemorySegment out = rig.pages(1);
            rig.sim().pause(SimLane.COPY);
            Background<Launch> launch = Background.call(() -> rig.copy(out, in, 0));
            rig.sim().awaitSubmitted(SimLane.COPY, 1); // zeros for the output; its input follows
            rig.sim().step(SimLane.COPY);
            rig.sim().awaitSubmitted(SimLane.COPY, 2);
            try (HostView view = rig.heap.view(in, Access.READ)) {
                rig.sim().resume(SimLane.COPY);
                launch.join().await();
                assertThat(view.segment().get(JAVA_INT, 0)).isEqualTo(1);
            }
            assertThat(rig.count(Counter.MIGRATE_RACED_PAGES)).isZero();
            assertThat(rig.values(out)).containsExactly(1);
        }
    }

    @Test
    void aWriteViewBesideAReadClaimTakesThePageBack() {
        try (Rig rig = Rig.windows(1, 32)) {
            MemorySegment in = rig.filled(1, 1);
            MemorySegment out = rig.pages(1);
            rig.fill(out, 0, 0).await();
            long before = rig.sim().submitted(SimLane.COPY);
            rig.sim().pause(SimLane.COPY);
            Background<Launch> launch = Background.call(() -> rig.copy(out, in, 0));
            rig.sim().awaitSubmitted(SimLane.COPY, before + 1);
            rig.write(in, 5);
            rig.sim().resume(SimLane.COPY);
            launch.join().await();
            assertThat(rig.count(Counter.MIGRATE_RACED_PAGES)).isEqualTo(1);
            assertThat(rig.values(out)).containsExactly(5);
        }
    }

    @Test
    void aLaunchOnASecondDeviceBringsThePagesFromTheFirst() {
        try (Rig rig = Rig.windows(2, 32)) {
            MemorySegment a = rig.filled(4, 1);
            rig.add(a, 1, 0).await();
            rig.add(a, 10, 1).await();
            assertThat(rig.heap.residency(a).onDevice(rig.device(1))).isEqualTo(4L * Rig.PAGE);
            rig.add(a, 100, 0).await();
            assertThat(rig.values(a)).containsExactly(112);
        }
    }

    @Test
    void aSecondDeviceWaitsForTheKernelOfTheFirst() {
        try (Rig rig = Rig.windows(2, 32)) {
            MemorySegment a = rig.filled(4, 1);
            rig.sim().pause(SimLane.COMPUTE);
            rig.add(a, 1, 0);
            Background<Launch> second = Background.call(() -> rig.add(a, 10, 1)).awaitWaiting();
            rig.sim().resume(SimLane.COMPUTE);
            second.join().await();
            assertThat(rig.values(a)).containsExactly(12);
        }
    }

    @Test
    void twoMigratorsToTwoDevicesShareWhatBothRead() {
        try (Rig rig = Rig.windows(2, 32)) {
            MemorySegment in = rig.filled(4, 1);
            MemorySegment[] out = {rig.pages(4), rig.pages(4)};
            rig.sims.forEach(sim -> sim.pause(SimLane.COPY));
            Background<Launch> first = Background.call(() -> rig.copy(out[0], in, 0));
            Background<Launch> second = Background.call(() -> rig.copy(out[1], in, 1));
            rig.sims.forEach(sim -> sim.resume(SimLane.COPY));
            first.join().await();
            second.join().await();
            assertThat(rig.values(out[0])).containsExactly(1);
            assertThat(rig.values(out[1])).containsExactly(1);
            assertThat(rig.heap.residency(in).sharedBytes()).isEqualTo(4L * Rig.PAGE);
        }
    }

    @Test
    void twoMigratorsToTwoDevicesTakeTurnsAtWhatBothWrite() {
        try (Rig rig = Rig.windows(2, 32)) {
            MemorySegment a = rig.filled(4, 0);
            Background<Boolean> first = Background.run(() -> repeat(rig, a, 0));
            Background<Boolean> second = Background.run(() -> repeat(rig, a, 1));
            first.join();
            second.join();
            assertThat(rig.values(a)).containsExactly(100);
        }
    }

    private static void repeat(Rig rig, MemorySegment a, int device) {
        for (int i = 0; i < 50; i++) {
            rig.add(a, 1, device); // not awaited: kernels of both devices must still come one after the other
        }
    }

    /// The page is claimed for one device when another device's migrator meets it.
    @Test
    void aMigratorLeavesOrAwaitsTheClaimOfAnother() {
        try (Rig rig = Rig.windows(2, 32)) {
            MemorySegment a = rig.filled(1, 1);
            AtomicBoolean armed = new AtomicBoolean(true);
            rig.sim().onSubmit(operation -> {
                if (operation == Operation.COPY_TO_DEVICE && armed.compareAndSet(true, false)) {
                    MigrationReport other = Background.call(() -> rig.heap.migrate(a, rig.device(1))).join();
                    assertThat(other.count(PageOutcome.ELSEWHERE)).isEqualTo(1);
                }
            });
            rig.add(a, 1, 0).await();
            rig.add(a, 1, 1).await();
            assertThat(rig.values(a)).containsExactly(3);
        }
    }
}
