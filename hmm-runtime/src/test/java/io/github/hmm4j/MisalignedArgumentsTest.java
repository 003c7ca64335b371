package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.emulated.Call;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/// What a slice costs at which the device cannot start a pointer. That it is right, and where it is refused, others say (`slicesAtAnyElement`, [ArgumentsTest], [DeviceFaultsTest]).
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
@Tag("emulated-gpu")
class MisalignedArgumentsTest {

    private static final int ALIGNMENT = 512; // of the profile nvidia

    /// As a pointer it is copied on the device, there and back if the kernel writes: all of its bytes, since what the kernel is given begins with the first of them.
    @Test
    void aPointerIsToACopy() {
        try (Rig rig = Rig.gpuWindows(1, 16)) {
            MemorySegment a = rig.filled(2, 5);
            MemorySegment b = rig.filled(2, 6);
            rig.copy(a, b, 0).await(); // all are there from here on
            assertThat(copies(rig, () -> rig.add(a.asSlice(4, Rig.PAGE), 1, 0))).isEqualTo(2);
            assertThat(copies(rig, () -> rig.copy(a.asSlice(ALIGNMENT, 64), b.asSlice(12, 64), 0))).as("the one that is only read").isEqualTo(1);
            assertThat(copies(rig, () -> rig.copy(a.asSlice(ALIGNMENT, 64), b.asSlice(2 * ALIGNMENT, 64), 0))).as("wherever the device can start").isZero();
            assertThat(rig.read(a)[0]).isEqualTo(6);
            assertThat(rig.read(a)[1]).isEqualTo(7);
        }
    }

    /// As an address in the heap it needs none: the kernel is given where the heap begins, and adds the rest.
    @Test
    void anAddressIsTakenAsItIs() {
        try (Rig rig = Rig.gpuAperture(1)) {
            MemorySegment a = rig.filled(1, 5);
            rig.add(a, 1, 0).await();
            MemorySegment slice = a.asSlice(4, 4);
            assertThat(copies(rig, () -> rig.kernel("bump").args(Arg.heap(Arg.inOut(slice)), slice.address()).launch(NDRange.of(1)))).isZero();
            assertThat(rig.read(a)).startsWith(6, 7, 6);
        }
    }

    private interface Launching {
        Launch launch();
    }

    /// Copy commands that a launch takes. Between host and device others carry the bytes here.
    private static long copies(Rig rig, Launching kernel) {
        long before = rig.gpu().calls(Call.COPY);
        kernel.launch().await();
        return rig.gpu().calls(Call.COPY) - before;
    }
}
