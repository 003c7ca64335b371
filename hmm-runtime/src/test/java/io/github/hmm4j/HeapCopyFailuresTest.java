package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.emulated.Call;
import io.github.hmm4j.error.OpenClFailedException;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/// Copying and filling within the heap on a device that fails.
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
@Tag("emulated-gpu")
class HeapCopyFailuresTest {

    private static MemorySegment onDevice(Rig rig) {
        MemorySegment a = rig.heap.allocateFrom(JAVA_BYTE, new byte[10 * Rig.PAGE]);
        rig.heap.prefetch(a, rig.device(0));
        return a;
    }

    @Test
    void aKernelThatFailsIsTold() {
        try (Rig rig = Rig.gpuAperture(1)) {
            MemorySegment a = onDevice(rig);
            rig.gpu().failEnd(Call.LAUNCH, 1);
            assertThatThrownBy(() -> rig.heap.fill(a, (byte) 4)).isInstanceOf(OpenClFailedException.class).hasMessageContaining("kernel=fill_bytes");
        }
    }

    @Test
    void aCompilerThatFailsIsTriedAgain() {
        try (Rig rig = Rig.gpuWindows(1, 300)) {
            MemorySegment a = onDevice(rig);
            rig.gpu().fail(Call.BUILD_PROGRAM, 1);
            assertThatThrownBy(() -> rig.heap.fill(a, (byte) 4)).isInstanceOf(OpenClFailedException.class).hasMessageContaining("clBuildProgram");
            assertThat(rig.values(a)).containsExactly(0);
            rig.heap.fill(a, (byte) 4);
            assertThat(rig.values(a)).containsExactly(0x04040404);
        }
    }
}
