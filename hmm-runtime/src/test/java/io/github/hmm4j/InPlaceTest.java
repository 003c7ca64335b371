package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.emulated.Engine;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/// Coherent devices use the host page itself, so what others do to it shows to a kernel that is still running.
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

    /// What a private device writes to its own frame comes home to the very page that the other still reads.
    @Test
    void aPrivateDeviceThatWritesWaitsForReadersInPlaceAsWell() {
        List<SimDevice> sims = List.of(Rig.sim(0, true), Rig.sim(1, false));
        try (Rig rig = Rig.of(sims, builder -> builder.heap(ByteSize.mib(8)))) {
            MemorySegment in = rig.filled(2, 1);
            MemorySegment out = rig.pages(2);
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
