package io.github.hmm4j.device.opencl;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.Access;
import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.Launch;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.error.PagePoisonedException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.mirror.PlacementMode;
import io.github.hmm4j.pager.HostAccess;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A kernel that was given a copy of an argument, since the device cannot start a pointer there, and the copy does not come back.
@Timeout(60)
class LostCopyTest {

    private static final int INTS = 64;

    /// Host access is checked, so that all calls are made by Java.
    @Test
    void aKernelWhoseCopyIsLostHasRunOnceAndFailed() {
        InterceptedClApi intercepted = new InterceptedClApi(Bindings.load(ClBinding.LWJGL));
        ClDevice device = ClDevice.open(intercepted.api(), Bindings.firstDevice(intercepted.api()), ClOptions.DEFAULTS);
        try (Hmm hmm = Hmm.builder().device(device).heap(ByteSize.mib(1)).hostAccess(HostAccess.Mode.CHECKED).open()) {
            MemorySegment ints = hmm.heap().allocate(4096, 4096);
            MemorySegment slice = ints.asSlice(4, 4L * INTS); // no device starts a pointer there
            Kernel add = hmm.program(Source.resource("access.cl")).kernel("add_ints");
            add.args(slice, 1, INTS).launch(NDRange.of(INTS)).await(); // it is there
            intercepted.fail("enqueueCopy", 2); // the first brings the copy
            Launch launch = add.args(slice, 1, INTS).launch(NDRange.of(INTS));
            assertThatExceptionOfType(OpenClFailedException.class).isThrownBy(launch::await).withMessageContaining("kernel=add_ints");
            assertThat(intercepted.calls()).containsEntry("enqueueKernel", 1);
            intercepted.fail("nothing", 1);
            assertThatExceptionOfType(PagePoisonedException.class).isThrownBy(() -> hmm.heap().view(slice, Access.READ).close());
            hmm.heap().discard(ints);
            add.args(slice, 3, INTS).launch(NDRange.of(INTS)).await();
            try (var view = hmm.heap().view(slice, Access.READ)) {
                assertThat(view.segment().getAtIndex(JAVA_INT, 0)).isEqualTo(3);
            }
        }
        assertThat(intercepted.live()).isZero();
    }

    /// In place nothing is poisoned, so that it has run once must be seen by other means: what it did to memory that was not copied is there, once.
    @Test
    void itIsNotLaunchedAgainInPlaceEither() {
        InterceptedClApi intercepted = new InterceptedClApi(Bindings.load(ClBinding.LWJGL));
        ClDevice device = ClDevice.open(intercepted.api(), Bindings.firstDevice(intercepted.api()), ClOptions.DEFAULTS);
        assumeTrue(device.inPlace().proven(), "this device does not work in place");
        try (Hmm hmm = Hmm.builder().device(device).heap(ByteSize.mib(1)).hostAccess(HostAccess.Mode.CHECKED).placement(PlacementMode.IN_PLACE).open()) {
            MemorySegment direct = hmm.heap().allocate(4096, 4096);
            MemorySegment copied = hmm.heap().allocate(4096, 4096).asSlice(4, 4L * INTS);
            Kernel both = hmm.program(Source.text("both.cl", """
                kernel void add_to_both(global int *a, global int *b) {
                    a[get_global_id(0)] += 1;
                    b[get_global_id(0)] += 1;
                }
                """)).kernel("add_to_both");
            both.args(direct, copied).launch(NDRange.of(INTS)).await();
            intercepted.fail("enqueueCopy", 2);
            Launch launch = both.args(direct, copied).launch(NDRange.of(INTS));
            assertThatExceptionOfType(OpenClFailedException.class).isThrownBy(launch::await);
            try (var view = hmm.heap().view(direct, Access.READ)) {
                assertThat(view.segment().getAtIndex(JAVA_INT, 0)).isEqualTo(2);
            }
        }
    }
}
