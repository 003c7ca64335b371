package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.opencl.CopyMode;
import io.github.hmm4j.emulated.EmulatedGpu;
import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/// A device that has far less memory than the heap.
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
@Tag("emulated-gpu")
class SmallDeviceTest {

    private static final long MIB = 1 << 20;

    @AfterEach
    void asOthersExpectIt() {
        EmulatedGpu.reset();
    }

    /// As a program may say that means all there is. More frames than an array has room for.
    @Test
    void aBudgetThatIsFarMoreThanTheDeviceHasCostsNothing() {
        EmulatedGpu.reset();
        EmulatedGpu.limit(96 * MIB, 48 * MIB);
        try (Hmm hmm = Hmm.builder().binding(ClBinding.LWJGL).device("0").copy(CopyMode.STAGED).heap(ByteSize.mib(512)).budget(Long.MAX_VALUE).open()) {
            ManagedHeap heap = hmm.heap();
            assertThat(hmm.device().device().info().memoryBytes()).isEqualTo(96 * MIB);
            MemorySegment much = heap.allocate(8 * MIB);
            heap.fill(much, (byte) 7);
            long before = EmulatedGpu.number(0).usedBytes();
            heap.prefetch(much, hmm.device());
            assertThat(hmm.device().usedBytes()).isGreaterThanOrEqualTo(8 * MIB);
            assertThat(EmulatedGpu.number(0).usedBytes()).isGreaterThanOrEqualTo(before + 8 * MIB);
            hmm.evictAll(hmm.device());
            assertThat(hmm.device().usedBytes()).isZero();
            assertThat(EmulatedGpu.number(0).usedBytes()).isLessThan(96 * MIB / 2); // what copies and kernels need, and no page
            assertThat(heap.residency(much).onDevice(hmm.device())).isZero();
            MemorySegment tooMuch = heap.allocate(128 * MIB);
            assertThatThrownBy(() -> heap.migrate(tooMuch, hmm.device())).isInstanceOf(DeviceMemoryExhaustedException.class)
                    .hasMessageContaining(hmm.device().device().info().name());
        }
    }
}
