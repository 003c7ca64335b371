package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.emulated.Engine;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Freeing, protecting, discarding and moving while kernels run.
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
@Tag("emulated-gpu")
class RegionsAgainstLaunchesTest {

    private static Rig rig(boolean coherent) {
        return coherent ? Rig.gpuInPlace(1) : Rig.gpuWindows(1, 32);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void free_while_kernel_runs(boolean coherent) {
        try (Rig rig = rig(coherent)) {
            MemorySegment a = rig.filled(4, 1);
            rig.gpu().hold(Engine.COMPUTE);
            Launch launch = rig.add(a, 1, 0);
            Background<Boolean> free = Background.run(() -> rig.heap.free(a)).awaitWaiting();
            assertThat(rig.heap.contains(a.address())).isFalse();
            MemorySegment other = rig.filled(4, 9); // never at the address of what still runs
            assertThat(other.address()).isNotEqualTo(a.address());
            rig.gpu().resume(Engine.COMPUTE);
            free.join();
            launch.await();
            OtherFrees.pass(rig.heap);
            MemorySegment again = rig.pages(4);
            assertThat(again.address()).isEqualTo(a.address());
            assertThat(rig.values(again)).containsExactly(0);
            assertThat(rig.values(other)).containsExactly(9);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void protect_while_kernel_runs(boolean coherent) {
        try (Rig rig = rig(coherent)) {
            MemorySegment a = rig.filled(4, 1);
            rig.gpu().hold(Engine.COMPUTE);
            Launch launch = rig.add(a, 1, 0);
            Background<Boolean> protect = Background.run(() -> rig.heap.protect(a, Protection.READ)).awaitWaiting();
            assertThatThrownBy(() -> rig.add(a, 1, 0)).isInstanceOf(AccessViolationException.class);
            rig.gpu().resume(Engine.COMPUTE);
            protect.join();
            assertThat(launch.isDone()).isTrue();
            assertThat(rig.values(a)).containsExactly(2);
            rig.copy(rig.pages(4), a, 0).await();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void discard_while_kernel_runs(boolean coherent) {
        try (Rig rig = rig(coherent)) {
            MemorySegment a = rig.filled(4, 1);
            rig.gpu().hold(Engine.COMPUTE);
            Launch launch = rig.add(a, 1, 0);
            Background<Boolean> discard = Background.run(() -> rig.heap.discard(a));
            if (coherent) {
                discard.awaitWaiting();
            } else {
                discard.join();
            }
            rig.gpu().resume(Engine.COMPUTE);
            discard.join();
            launch.await();
            assertThat(rig.heap.residency(a).emptyBytes()).isEqualTo(4L * Rig.PAGE);
            assertThat(rig.values(a)).containsExactly(0);
            rig.add(a, 3, 0).await();
            assertThat(rig.values(a)).containsExactly(3);
        }
    }

    @Test
    void discardTakesAPageOutOfAMigration() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment a = rig.filled(2, 1);
            AtomicBoolean armed = new AtomicBoolean(true);
            rig.gpu().onSubmit(operation -> {
                if (operation == Operation.COPY_TO_DEVICE && armed.compareAndSet(true, false)) {
                    Background.run(() -> rig.heap.discard(Rig.page(a, 0))).join();
                }
            });
            rig.add(a, 10, 0).await();
            assertThat(rig.values(Rig.page(a, 0))).containsExactly(10);
            assertThat(rig.values(Rig.page(a, 1))).containsExactly(11);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void move_while_kernel_runs(boolean coherent) {
        try (Rig rig = rig(coherent)) {
            MemorySegment a = rig.filled(4, 1);
            rig.gpu().hold(Engine.COMPUTE);
            rig.add(a, 1, 0);
            Background<MemorySegment> moving = Background.call(() -> rig.heap.move(a)).awaitWaiting();
            rig.gpu().resume(Engine.COMPUTE);
            MemorySegment moved = moving.join();
            assertThat(moved.address()).isNotEqualTo(a.address());
            rig.add(moved, 1, 0).await();
            assertThat(rig.values(moved)).containsExactly(3);
            assertThatThrownBy(() -> rig.read(a)).isInstanceOf(IllegalArgumentException.class);
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
            rig.hmm.evictAll(rig.device(0));
            assertThat(rig.gpu().usedBytes()).isZero();
            rig.kernel("nothing").args(Arg.out(a)).launch(NDRange.of(1)).await();
            assertThat(rig.values(a)).containsExactly(0);
        }
    }
}
