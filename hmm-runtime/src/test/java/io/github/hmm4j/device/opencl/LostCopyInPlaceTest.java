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
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.mirror.PlacementMode;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The same as in [LostCopyTest], where kernels use the host's pages.
@Tag("emulated-igpu")
@Timeout(60)
class LostCopyInPlaceTest {

    private static final int INTS = 64;

    /// In place nothing is poisoned, so that it has run once must be seen by other means: what it did to memory that was not copied is there, once.
    @Test
    void itIsNotLaunchedAgainInPlaceEither() {
        EmulatedGpu.reset();
        EmulatedGpu gpu = EmulatedGpu.number(0);
        try (Hmm hmm = Hmm.builder().binding(ClBinding.LWJGL).device("0").copy(CopyMode.STAGED).heap(ByteSize.mib(1)).placement(PlacementMode.IN_PLACE).open()) {
            MemorySegment direct = hmm.heap().allocate(4096, 4096);
            MemorySegment copied = hmm.heap().allocate(4096, 4096).asSlice(4, 4L * INTS);
            Kernel both = hmm.program(Source.text("both.cl", """
                kernel void add_to_both(global int *a, global int *b) {
                    a[get_global_id(0)] += 1;
                    b[get_global_id(0)] += 1;
                }
                """)).kernel("add_to_both");
            both.args(direct, copied).launch(NDRange.of(INTS)).await();
            gpu.fail(Call.COPY, 2);
            Launch launch = both.args(direct, copied).launch(NDRange.of(INTS));
            assertThatExceptionOfType(OpenClFailedException.class).isThrownBy(launch::await);
            try (var view = hmm.heap().view(direct, Access.READ)) {
                assertThat(view.segment().getAtIndex(JAVA_INT, 0)).isEqualTo(2);
            }
        }
    }
}
