package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.emulated.Engine;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/// Room on a device that is full, while kernels run there.
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
@Tag("emulated-gpu")
class EvictionAgainstKernelsTest {

    @Test
    void evictionWaitsForTheKernelThatUsesTheFrame() {
        try (Rig rig = Rig.gpuWindows(1, 4)) {
            MemorySegment a = rig.filled(4, 1);
            MemorySegment b = rig.filled(4, 2);
            rig.gpu().hold(Engine.COMPUTE);
            Launch first = rig.add(a, 1, 0);
            Background<Launch> second = Background.call(() -> rig.add(b, 1, 0)).awaitWaiting();
            assertThat(first.isDone()).isFalse();
            assertThat(rig.heap.residency(b).hostBytes()).isEqualTo(4L * Rig.PAGE);
            rig.gpu().resume(Engine.COMPUTE);
            second.join().await();
            assertThat(first.isDone()).isTrue();
            assertThat(rig.values(a)).containsExactly(2);
            assertThat(rig.values(b)).containsExactly(3);
            assertThat(rig.count(Counter.EVICTED_DIRTY_PAGES)).isPositive();
        }
    }

    /// The host has what is in it, so nobody has to fetch it.
    @Test
    void evictionWaitsForTheKernelThatReadsTheFrame() {
        try (Rig rig = Rig.gpuWindows(1, 4)) {
            MemorySegment read = rig.filled(4, 1);
            MemorySegment next = rig.filled(4, 2);
            rig.gpu().hold(Engine.COMPUTE);
            Launch first = rig.kernel("nothing").args(Arg.in(read)).launch(NDRange.of(1), rig.device(0));
            long kernels = rig.gpu().submitted(Engine.COMPUTE);
            long copies = rig.gpu().submitted(Engine.TO_DEVICE);
            Background<Launch> second = Background.call(() -> rig.add(next, 1, 0)).awaitWaiting();
            assertThat(first.isDone()).isFalse();
            assertThat(rig.gpu().submitted(Engine.COMPUTE)).isEqualTo(kernels); // nor has its memory been given back, and other been taken
            assertThat(rig.gpu().submitted(Engine.TO_DEVICE)).isEqualTo(copies);
            rig.gpu().resume(Engine.COMPUTE);
            second.join().await();
            assertThat(first.isDone()).isTrue();
            assertThat(rig.values(next)).containsExactly(3);
            assertThat(rig.values(read)).containsExactly(1);
            assertThat(rig.count(Counter.EVICTED_CLEAN_PAGES)).isEqualTo(4);
        }
    }

    @Test
    void framesThatNoKernelUsesAreEvictedFirst() {
        try (Rig rig = Rig.gpuWindows(1, 8)) {
            MemorySegment busy = rig.filled(4, 1);
            MemorySegment idle = rig.filled(4, 2);
            rig.add(idle, 1, 0).await();
            rig.gpu().hold(Engine.COMPUTE);
            Launch running = rig.add(busy, 1, 0);
            Launch next = rig.add(rig.filled(4, 3), 1, 0); // does not wait: the idle frames go
            assertThat(running.isDone()).isFalse();
            assertThat(rig.heap.residency(idle).hostBytes()).isEqualTo(4L * Rig.PAGE);
            rig.gpu().resume(Engine.COMPUTE);
            next.await();
        }
    }
}
