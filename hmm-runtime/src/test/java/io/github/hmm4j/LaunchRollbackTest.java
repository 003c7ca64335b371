package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.emulated.Call;
import io.github.hmm4j.emulated.EmulatedGpu;
import io.github.hmm4j.emulated.Engine;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.mirror.InvalidationKind;
import io.github.hmm4j.mirror.SnapshotCode;
import io.github.hmm4j.mirror.Subscription;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/// A launch that does not happen leaves every page where it was, with what was in it.
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
@Tag("emulated-gpu")
class LaunchRollbackTest {

    private static final int OUT_OF_RESOURCES = -5;

    @Test
    void aFailedLaunchLeavesEveryPageWhereItWas() {
        try (Rig rig = Rig.gpuWindows(2, 32)) {
            MemorySegment host = rig.filled(1, 5);
            MemorySegment empty = rig.pages(1);
            rig.gpu().fail(Call.LAUNCH, 1);
            var call = rig.kernel("two").args(host, empty);
            assertThatThrownBy(() -> call.launch(NDRange.of(1))).isInstanceOf(OpenClFailedException.class);
            assertThat(rig.heap.snapshot(host, rig.device(0)).codes()).containsExactly(SnapshotCode.WRITE);
            assertThat(rig.heap.snapshot(empty, rig.device(0)).codes()).containsExactly(SnapshotCode.NONE);
            assertThat(rig.heap.residency(empty).emptyBytes()).isEqualTo(Rig.PAGE);
            assertThat(rig.count(Counter.MIGRATE_UNDONE_PAGES)).isEqualTo(2);
            call.launch(NDRange.of(1)).await();
            assertThat(rig.read(host)[0]).isEqualTo(6);
        }
    }

    /// Once on the way there and once on the way back; and what a mirror does wrong changes neither.
    @Test
    void mirrorsHearOfWhatGoesBack() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment a = rig.filled(1, 5);
            var call = rig.kernel("two").args(a, rig.filled(1, 6));
            List<InvalidationKind> heard = new ArrayList<>();
            try (Subscription mirror = rig.heap.mirror(a, new ReentrantLock(), event -> {
                heard.add(event.kind());
                throw new IllegalStateException("a mistake of the mirror's");
            })) {
                long before = mirror.readBegin();
                rig.gpu().fail(Call.LAUNCH, 1);
                assertThatThrownBy(() -> call.launch(NDRange.of(1))).isInstanceOf(OpenClFailedException.class);
                assertThat(heard).containsExactly(InvalidationKind.MIGRATE, InvalidationKind.MIGRATE);
                assertThat(mirror.checkRetry(before)).isTrue();
                assertThat(mirror.checkRetry(mirror.readBegin())).as("all that was announced has ended").isFalse();
                assertThat(rig.heap.snapshot(a, rig.device(0)).codes()).containsExactly(SnapshotCode.WRITE);
            }
        }
    }

    /// Drivers say the same of all that is asked of a device that has gone; but to find out must not take until it has done what it is doing.
    @Test
    void aRefusalIsToldWhileAnotherKernelRuns() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment busy = rig.filled(1, 5);
            MemorySegment refused = rig.filled(1, 7);
            rig.heap.prefetch(busy, rig.device(0));
            rig.gpu().hold(Engine.COMPUTE);
            Launch running = rig.add(busy, 1, 0);
            rig.gpu().failAll(Call.WRITE, OUT_OF_RESOURCES);
            assertThatThrownBy(() -> rig.heap.prefetch(refused, rig.device(0))).isInstanceOf(OpenClFailedException.class);
            assertThat(running.isDone()).isFalse();
            rig.gpu().clear();
            rig.gpu().resume(Engine.COMPUTE);
            rig.add(refused, 1, 0).await();
            assertThat(rig.values(busy)).containsExactly(6);
            assertThat(rig.values(refused)).containsExactly(8);
        }
    }

    @Test
    void anOutputThatWasNotWrittenKeepsItsOldContents() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment out = rig.filled(3, 5);
            rig.gpu().fail(Call.LAUNCH, 1);
            assertThatThrownBy(() -> rig.fill(out, 9, 0)).isInstanceOf(OpenClFailedException.class);
            assertThat(rig.values(out)).containsExactly(5);
        }
    }

    /// Another launch comes meanwhile, but not on these pages: their only good copy is still the host's.
    @Test
    void anOutputThatWasNotWrittenKeepsItsOldContentsBesideOtherLaunches() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment out = rig.filled(3, 5);
            MemorySegment other = rig.filled(1, 1);
            rig.heap.prefetch(other, rig.device(0));
            rig.gpu().fail(Call.LAUNCH, 1);
            Background<Launch> fill;
            Background<Launch> beside;
            try (EmulatedGpu.Stop stop = rig.gpu().stopAt(Call.LAUNCH, 1)) {
                fill = Background.call(() -> rig.fill(out, 9, 0));
                stop.await(); // pages without their contents are on the device
                beside = Background.call(() -> rig.add(other, 1, 0).await()).awaitWaiting();
            }
            assertThatThrownBy(fill::join).isInstanceOf(OpenClFailedException.class);
            beside.join();
            assertThat(rig.values(out)).containsExactly(5);
            assertThat(rig.values(other)).containsExactly(2);
        }
    }

    /// A kernel of another thread ran on the very page: what it wrote must not be thrown away.
    @Test
    void launch_between_move_and_undo() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment both = rig.filled(1, 5);
            MemorySegment fails = rig.filled(1, 7);
            var call = rig.kernel("two").args(both, fails);
            rig.gpu().fail(Call.WRITE, 2);
            Background<Launch> launch;
            try (EmulatedGpu.Stop stop = rig.gpu().stopAt(Call.WRITE, 2)) {
                launch = Background.call(() -> call.launch(NDRange.of(1)));
                stop.await();
                rig.add(both, 1, 0).await(); // while pages travel, it does not wait
            }
            assertThatThrownBy(launch::join).isInstanceOf(OpenClFailedException.class);
            assertThat(rig.values(both)).containsExactly(6);
            assertThat(rig.values(fails)).containsExactly(7);
        }
    }

    @Test
    void aFailedLaunchLeavesOtherDevicesTheirCopies() {
        try (Rig rig = Rig.gpuWindows(2, 32)) {
            MemorySegment in = rig.filled(1, 5);
            rig.copy(rig.pages(1), in, 1).await();
            assertThat(rig.heap.residency(in).sharedBytes()).isEqualTo(Rig.PAGE);
            rig.gpu().fail(Call.LAUNCH, 1);
            assertThatThrownBy(() -> rig.copy(rig.pages(1), in, 0)).isInstanceOf(OpenClFailedException.class);
            assertThat(rig.heap.residency(in).sharedBytes()).isEqualTo(Rig.PAGE);
            assertThat(rig.copy(rig.pages(1), in, 1).await().moves().bytesCopied()).isZero();
        }
    }

    @Test
    void aFailedCopyLeavesEveryPageWhereItWas() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment a = rig.filled(2, 5);
            MemorySegment b = rig.filled(2, 6);
            rig.gpu().fail(Call.WRITE, 2);
            var call = rig.kernel("two").args(a, b);
            assertThatThrownBy(() -> call.launch(NDRange.of(1))).isInstanceOf(OpenClFailedException.class);
            assertThat(rig.heap.residency(a).hostBytes() + rig.heap.residency(b).hostBytes()).isEqualTo(4L * Rig.PAGE);
            assertThat(rig.values(a)).containsExactly(5);
            assertThat(rig.values(b)).containsExactly(6);
        }
    }

    @Test
    void aFailedFetchLeavesThePagesOnTheirDevice() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment a = rig.filled(4, 5);
            rig.add(a, 1, 0).await();
            long kernels = rig.gpu().submitted(Engine.COMPUTE);
            rig.gpu().failEnd(Call.READ, 1);
            assertThatThrownBy(() -> rig.read(a)).isInstanceOf(OpenClFailedException.class);
            assertThat(rig.heap.residency(a).onDevice(rig.device(0))).isEqualTo(4L * Rig.PAGE);
            assertThat(rig.values(a)).containsExactly(6);
            assertThat(rig.gpu().submitted(Engine.COMPUTE)).isEqualTo(kernels);
        }
    }
}
