package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.emulated.Engine;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/// Freeing, protecting, discarding, moving and closing arenas while kernels run.
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
abstract class RegionsAgainstLaunches {

    /// A heap on an emulated GPU with room for all of a test's pages.
    abstract Rig rig();

    /// Whether giving contents up waits for a kernel that uses them: not where those are the device's own.
    abstract boolean discardingWaits();

    @Test
    void free_while_kernel_runs() {
        try (Rig rig = rig()) {
            MemorySegment a = rig.filled(4, 1);
            rig.gpu().hold(Engine.COMPUTE);
            Launch launch = rig.add(a, 1, 0);
            Background<Boolean> free = Background.run(() -> rig.heap.free(a));
            while (rig.heap.contains(a.address())) {
                Thread.onSpinWait(); // the test's time limit ends it
            }
            free.awaitWaiting();
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

    @Test
    void protect_while_kernel_runs() {
        try (Rig rig = rig()) {
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

    @Test
    void discard_while_kernel_runs() {
        try (Rig rig = rig()) {
            MemorySegment a = rig.filled(4, 1);
            rig.gpu().hold(Engine.COMPUTE);
            Launch launch = rig.add(a, 1, 0);
            Background<Boolean> discard = Background.run(() -> rig.heap.discard(a));
            if (discardingWaits()) {
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
    void move_while_kernel_runs() {
        try (Rig rig = rig()) {
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
    void close_arena_while_kernel_runs() {
        try (Rig rig = rig()) {
            Arena arena = rig.heap.arena();
            MemorySegment a = arena.allocate(4 * Rig.PAGE);
            long address = a.address();
            rig.write(a, 5);
            rig.gpu().hold(Engine.COMPUTE);
            Launch launch = rig.add(a, 1, 0);
            Background<Boolean> closing = ArenaTest.closing(arena, rig, address);
            assertThat(closing.isDone()).isFalse();
            assertThat(a.scope().isAlive()).isFalse();
            assertThatThrownBy(() -> rig.add(a, 1, 0)).isInstanceOf(IllegalStateException.class).hasMessageContaining("kernel=add, argument 0: " + ArenaTest.CLOSED);
            MemorySegment other = rig.filled(4, 9); // never at the address of what still runs
            assertThat(other.address()).isNotEqualTo(address);
            rig.gpu().resume(Engine.COMPUTE);
            closing.join();
            launch.await();
            OtherFrees.pass(rig.heap);
            assertThat(rig.pages(4).address()).isEqualTo(address);
            assertThat(rig.values(other)).containsExactly(9);
        }
    }
}
