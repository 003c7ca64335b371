package io.github.hmm4j.device.opencl;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.hmm4j.Access;
import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.Launch;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.emulated.Call;
import io.github.hmm4j.emulated.EmulatedGpu;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.error.PagePoisonedException;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A kernel that was given a copy of an argument, since the device cannot start a pointer there, and the copy does not come back.
@Tag("emulated-gpu")
@Timeout(60)
class LostCopyTest {

    private static final int INTS = 64;

    @Test
    void aKernelWhoseCopyIsLostHasRunOnceAndFailed() {
        EmulatedGpu.reset();
        EmulatedGpu gpu = EmulatedGpu.number(0);
        try (Hmm hmm = Hmm.builder().binding(ClBinding.LWJGL).device("0").copy(CopyMode.STAGED).heap(ByteSize.mib(1)).open()) {
            MemorySegment ints = hmm.heap().allocate(4096, 4096);
            MemorySegment slice = ints.asSlice(4, 4L * INTS); // no device starts a pointer there
            Kernel add = hmm.program(Source.resource("access.cl")).kernel("add_ints");
            add.args(slice, 1, INTS).launch(NDRange.of(INTS)).await(); // it is there
            long kernels = gpu.calls(Call.LAUNCH);
            gpu.fail(Call.COPY, 2); // the first brings the copy
            Launch launch = add.args(slice, 1, INTS).launch(NDRange.of(INTS));
            assertThatExceptionOfType(OpenClFailedException.class).isThrownBy(launch::await).withMessageContaining("kernel=add_ints");
            assertThat(gpu.calls(Call.LAUNCH) - kernels).isEqualTo(1);
            assertThatExceptionOfType(PagePoisonedException.class).isThrownBy(() -> hmm.heap().view(slice, Access.READ).close());
            hmm.heap().discard(ints);
            add.args(slice, 3, INTS).launch(NDRange.of(INTS)).await();
            try (var view = hmm.heap().view(slice, Access.READ)) {
                assertThat(view.segment().getAtIndex(JAVA_INT, 0)).isEqualTo(3);
            }
        }
        assertThat(EmulatedGpu.openObjects()).isZero();
    }
}
