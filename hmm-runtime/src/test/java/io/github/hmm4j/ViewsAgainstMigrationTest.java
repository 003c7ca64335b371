package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.emulated.Engine;
import io.github.hmm4j.migrate.MigrationReport;
import io.github.hmm4j.migrate.PageOutcome;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/// Views while pages are on their way, and migrators against each other.
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
@Tag("emulated-gpu")
class ViewsAgainstMigrationTest {

    @Test
    void aWriteViewAbortsAMigrationDuringTheCopy() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment a = rig.filled(2, 1);
            long before = rig.gpu().submitted(Engine.TO_DEVICE);
            rig.gpu().hold(Engine.TO_DEVICE);
            Background<MigrationReport> migration = Background.call(() -> rig.heap.prefetch(a, rig.device(0)));
            rig.gpu().awaitSubmitted(Engine.TO_DEVICE, before + 1);
            rig.write(Rig.page(a, 0), 9);
            rig.gpu().resume(Engine.TO_DEVICE);
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
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment a = rig.filled(1, 1);
            long before = rig.gpu().submitted(Engine.TO_DEVICE);
            rig.gpu().hold(Engine.TO_DEVICE);
            Background<Launch> launch = Background.call(() -> rig.add(a, 1, 0));
            rig.gpu().awaitSubmitted(Engine.TO_DEVICE, before + 1);
            HostView view = rig.heap.view(a, Access.READ);
            rig.gpu().resume(Engine.TO_DEVICE);
            ViewsAgainstLaunchesTest.awaitCount(rig, Counter.LAUNCH_WAITS, 1);
            assertThat(view.segment().get(JAVA_INT, 0)).isEqualTo(1);
            view.close();
            launch.join().await();
            assertThat(rig.values(a)).containsExactly(2);
        }
    }

    @Test
    void aReadViewBesideAReadClaimSurvives() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment in = rig.filled(1, 1);
            MemorySegment out = rig.pages(1);
            long before = rig.gpu().submitted(Engine.TO_DEVICE);
            rig.gpu().hold(Engine.TO_DEVICE);
            Background<Launch> launch = Background.call(() -> rig.copy(out, in, 0));
            rig.gpu().awaitSubmitted(Engine.TO_DEVICE, before + 1);
            try (HostView view = rig.heap.view(in, Access.READ)) {
                rig.gpu().resume(Engine.TO_DEVICE);
                launch.join().await();
                assertThat(view.segment().get(JAVA_INT, 0)).isEqualTo(1);
            }
            assertThat(rig.count(Counter.MIGRATE_RACED_PAGES)).isZero();
            assertThat(rig.values(out)).containsExactly(1);
        }
    }

    @Test
    void aWriteViewBesideAReadClaimTakesThePageBack() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment in = rig.filled(1, 1);
            MemorySegment out = rig.pages(1);
            rig.fill(out, 0, 0).await();
            long before = rig.gpu().submitted(Engine.TO_DEVICE);
            rig.gpu().hold(Engine.TO_DEVICE);
            Background<Launch> launch = Background.call(() -> rig.copy(out, in, 0));
            rig.gpu().awaitSubmitted(Engine.TO_DEVICE, before + 1);
            rig.write(in, 5);
            rig.gpu().resume(Engine.TO_DEVICE);
            launch.join().await();
            assertThat(rig.count(Counter.MIGRATE_RACED_PAGES)).isEqualTo(1);
            assertThat(rig.values(out)).containsExactly(5);
        }
    }

    @Test
    void aLaunchOnASecondDeviceBringsThePagesFromTheFirst() {
        try (Rig rig = Rig.gpuWindows(2, 32)) {
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
        try (Rig rig = Rig.gpuWindows(2, 32)) {
            MemorySegment a = rig.filled(4, 1);
            rig.gpu().hold(Engine.COMPUTE);
            rig.add(a, 1, 0);
            Background<Launch> second = Background.call(() -> rig.add(a, 10, 1)).awaitWaiting();
            rig.gpu().resume(Engine.COMPUTE);
            second.join().await();
            assertThat(rig.values(a)).containsExactly(12);
        }
    }

    @Test
    void twoMigratorsToTwoDevicesShareWhatBothRead() {
        try (Rig rig = Rig.gpuWindows(2, 32)) {
            MemorySegment in = rig.filled(4, 1);
            MemorySegment[] out = {rig.pages(4), rig.pages(4)};
            long before = rig.gpu(0).submitted(Engine.TO_DEVICE);
            rig.gpu(0).hold(Engine.TO_DEVICE);
            Background<Launch> first = Background.call(() -> rig.copy(out[0], in, 0));
            rig.gpu(0).awaitSubmitted(Engine.TO_DEVICE, before + 1);
            Background<Launch> second = Background.call(() -> rig.copy(out[1], in, 1)).awaitStuckOrDone();
            rig.gpu(0).resume(Engine.TO_DEVICE);
            first.join().await();
            second.join().await();
            assertThat(rig.values(out[0])).containsExactly(1);
            assertThat(rig.values(out[1])).containsExactly(1);
            assertThat(rig.heap.residency(in).sharedBytes()).isEqualTo(4L * Rig.PAGE);
        }
    }

    @Test
    void twoMigratorsToTwoDevicesTakeTurnsAtWhatBothWrite() {
        try (Rig rig = Rig.gpuWindows(2, 32)) {
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
        try (Rig rig = Rig.gpuWindows(2, 32)) {
            MemorySegment a = rig.filled(1, 1);
            long before = rig.gpu(0).submitted(Engine.TO_DEVICE);
            rig.gpu(0).hold(Engine.TO_DEVICE);
            Background<Launch> first = Background.call(() -> rig.add(a, 1, 0));
            rig.gpu(0).awaitSubmitted(Engine.TO_DEVICE, before + 1);
            assertThat(rig.heap.migrate(a, rig.device(1)).count(PageOutcome.ELSEWHERE)).isEqualTo(1);
            rig.gpu(0).resume(Engine.TO_DEVICE);
            first.join().await();
            rig.add(a, 1, 1).await();
            assertThat(rig.values(a)).containsExactly(3);
        }
    }
}
