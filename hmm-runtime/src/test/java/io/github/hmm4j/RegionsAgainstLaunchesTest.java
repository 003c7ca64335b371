package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.emulated.Engine;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Where kernels work on pages of the device's own.
@Tag("emulated-gpu")
class RegionsAgainstLaunchesTest extends RegionsAgainstLaunches {

    @Override
    Rig rig() {
        return Rig.gpuWindows(1, 32);
    }

    @Override
    boolean discardingWaits() {
        return false;
    }

    /// The frames that get the new contents are those that the kernel still writes.
    @Test
    void launch_after_discard_while_kernel_runs() {
        try (Rig rig = rig()) {
            MemorySegment a = rig.filled(4, 1);
            rig.gpu().hold(Engine.COMPUTE);
            rig.add(a, 1, 0);
            rig.heap.discard(a);
            rig.write(a, 20);
            long before = rig.gpu().submitted(Engine.TO_DEVICE);
            Background<Launch> second = Background.call(() -> rig.add(a, 3, 0)).awaitWaiting();
            assertThat(rig.gpu().submitted(Engine.TO_DEVICE)).isEqualTo(before);
            rig.gpu().resume(Engine.COMPUTE);
            second.join().await();
            assertThat(rig.values(a)).containsExactly(23);
        }
    }

    /// A view that waits for a kernel, and whoever wants to free what it waits for, are in nobody else's way.
    @Test
    void aViewThatWaitsHoldsUpNoOtherRegion() {
        try (Rig rig = rig()) {
            MemorySegment slow = rig.filled(4, 1);
            MemorySegment other = rig.filled(4, 2);
            MemorySegment third = rig.filled(4, 3);
            rig.add(third, 1, 0).await();
            rig.gpu().hold(Engine.COMPUTE);
            rig.add(slow, 1, 0);
            Background<int[]> view = Background.call(() -> rig.values(slow)).awaitWaiting();
            rig.heap.free(other);
            assertThat(rig.values(third)).containsExactly(4);
            Background<Boolean> freed = Background.run(() -> freeWhenUnseen(rig, slow)).awaitWaiting();
            rig.heap.free(rig.filled(4, 5));
            assertThat(rig.values(third)).containsExactly(4);
            rig.gpu().resume(Engine.COMPUTE);
            assertThat(view.join()).containsExactly(2);
            freed.join();
        }
    }

    private static void freeWhenUnseen(Rig rig, MemorySegment segment) {
        while (true) {
            try {
                rig.heap.free(segment);
                return;
            } catch (IllegalStateException e) { // the view has come first, and is open
                Thread.onSpinWait();
            }
        }
    }

    @Test
    void discardTakesAPageOutOfAMigration() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment a = rig.filled(2, 1);
            long before = rig.gpu().submitted(Engine.TO_DEVICE);
            rig.gpu().hold(Engine.TO_DEVICE);
            Background<Launch> launch = Background.call(() -> rig.add(a, 10, 0));
            rig.gpu().awaitSubmitted(Engine.TO_DEVICE, before + 1);
            rig.heap.discard(Rig.page(a, 0));
            rig.gpu().resume(Engine.TO_DEVICE);
            launch.join().await();
            assertThat(rig.values(Rig.page(a, 0))).containsExactly(10);
            assertThat(rig.values(Rig.page(a, 1))).containsExactly(11);
        }
    }

    @Test
    void viewsRefuseEveryChangeOfTheirRegion() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment a = rig.filled(2, 1);
            try (HostView view = rig.heap.view(Rig.page(a, 1), Access.READ)) {
                assertThatThrownBy(() -> rig.heap.free(a)).isInstanceOf(IllegalStateException.class);
                assertThatThrownBy(() -> rig.heap.discard(a)).isInstanceOf(IllegalStateException.class);
                assertThatThrownBy(() -> rig.heap.move(a)).isInstanceOf(IllegalStateException.class);
                assertThatThrownBy(() -> rig.heap.protect(a, Protection.NONE)).isInstanceOf(IllegalStateException.class);
                assertThat(view.segment().get(JAVA_INT, 0)).isEqualTo(1);
            }
            assertThat(rig.heap.usedBytes()).isEqualTo(2L * Rig.PAGE);
            assertThat(rig.values(rig.heap.move(a))).containsExactly(1);
        }
    }

    /// An output that a kernel does not write shows zeros or old bytes of its own region, never those of another.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void framesNeverShowBytesOfAnotherRegion(boolean aperture) {
        try (Rig rig = aperture ? Rig.gpuAperture(1) : Rig.gpuWindows(1, 8)) {
            MemorySegment secret = rig.pages(8);
            rig.fill(secret, 0x5ec2e7, 0).await();
            rig.heap.free(secret);
            OtherFrees.pass(rig.heap);
            MemorySegment next = rig.pages(8);
            rig.kernel("nothing").args(Arg.out(next)).launch(NDRange.of(1)).await();
            assertThat(rig.values(next)).containsExactly(0);
        }
    }

    /// Device memory that was given back comes again with whatever is in it by then.
    @Test
    void memoryGivenBackAndTakenAgainShowsZeros() {
        try (Rig rig = Rig.gpuWindows(1, 8)) {
            MemorySegment a = rig.pages(8);
            rig.fill(a, 5, 0).await();
            long used = rig.gpu().usedBytes();
            rig.hmm.evictAll(rig.device(0));
            assertThat(rig.device(0).usedBytes()).isZero();
            assertThat(rig.gpu().usedBytes()).isLessThan(used);
            rig.kernel("nothing").args(Arg.out(a)).launch(NDRange.of(1)).await();
            assertThat(rig.values(a)).containsExactly(0);
        }
    }
}
