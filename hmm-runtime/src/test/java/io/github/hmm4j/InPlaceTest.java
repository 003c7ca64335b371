package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.emulated.Call;
import io.github.hmm4j.emulated.Engine;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.mirror.PlacementMode;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/// Kernels that use the host's page itself, so that what others do to it would show to one that is still running.
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
@Tag("emulated-igpu")
class InPlaceTest {

    @Test
    void aDeviceThatWritesInPlaceWaitsForReadersOnAnother() {
        try (Rig rig = Rig.gpuInPlace(2)) {
            MemorySegment in = rig.filled(2, 1);
            MemorySegment out = rig.pages(2);
            rig.gpu().hold(Engine.COMPUTE);
            rig.copy(out, in, 0);
            Background<Launch> write = Background.call(() -> rig.fill(in, 9, 1)).awaitWaiting();
            rig.gpu().resume(Engine.COMPUTE);
            write.join().await();
            assertThat(rig.values(out)).containsExactly(1);
            assertThat(rig.values(in)).containsExactly(9);
        }
    }

    /// What it has written before is in the host's pages already.
    @Test
    void aKernelThatFailsPoisonsNothing() {
        try (Rig rig = Rig.gpuInPlace(1)) {
            MemorySegment a = rig.filled(4, 5);
            rig.gpu().failEnd(Call.LAUNCH, 1);
            Launch launch = rig.add(a, 1, 0);
            assertThatThrownBy(launch::await).isInstanceOf(OpenClFailedException.class).hasMessageContaining("kernel=add");
            assertThat(rig.heap.residency(a).poisonedBytes()).isZero();
            assertThat(rig.count(Counter.POISONED_PAGES)).isZero();
            assertThat(rig.values(a)).containsExactly(5);
            rig.add(a, 1, 0).await();
            assertThat(rig.values(a)).containsExactly(6);
        }
    }

    @Test
    void discardWaitsForReadersInPlace() {
        try (Rig rig = Rig.gpuInPlace(1)) {
            MemorySegment in = rig.filled(2, 1);
            MemorySegment out = rig.pages(2);
            rig.gpu().hold(Engine.COMPUTE);
            rig.copy(out, in, 0);
            Background<Boolean> discard = Background.run(() -> rig.heap.discard(in)).awaitWaiting();
            rig.gpu().resume(Engine.COMPUTE);
            discard.join();
            assertThat(rig.values(out)).containsExactly(1);
            assertThat(rig.values(in)).containsExactly(0);
        }
    }

    /// What a device writes to a frame of its own comes home to the very page that the other still reads.
    @Test
    void aPrivateDeviceThatWritesWaitsForReadersInPlaceAsWell() {
        try (Rig rig = Rig.gpus(2, builder -> builder.heap(ByteSize.mib(8)))) {
            MemorySegment in = rig.filled(2, 1);
            MemorySegment out = rig.pages(2);
            rig.heap.place(in, rig.device(0), PlacementMode.IN_PLACE);
            rig.heap.place(out, rig.device(0), PlacementMode.IN_PLACE);
            rig.gpu().hold(Engine.COMPUTE);
            rig.copy(out, in, 0);
            Background<int[]> written = Background.call(() -> {
                rig.fill(in, 9, 1).await();
                return rig.values(in);
            }).awaitWaiting();
            rig.gpu().resume(Engine.COMPUTE);
            assertThat(written.join()).containsExactly(9);
            assertThat(rig.values(out)).containsExactly(1);
        }
    }
}
