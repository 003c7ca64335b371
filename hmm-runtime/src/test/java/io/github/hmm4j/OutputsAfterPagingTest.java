package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/// What a kernel leaves of an output that it said it would overwrite is the array's own bytes, or zeros; never what new device memory is full of.
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
@Tag("emulated-gpu")
class OutputsAfterPagingTest {

    private static final int PAGE = 4096;
    private static final int BUDGET_PAGES = 64;
    private static final int COUNT = 60 * PAGE / Float.BYTES;
    private static final int KINDS = 1000;

    /// The paged chunk goes, since the window is larger than the part of the budget that it leaves, and other memory takes its place.
    @Test
    void framesForgetWhoseBytesTheyHeldWithTheirMemory() {
        try (Hmm hmm = Hmm.builder().binding(ClBinding.LWJGL).device("0").heap(ByteSize.mib(16)).pageSize(PAGE).budget((long) BUDGET_PAGES * PAGE).open()) {
            MemorySegment in = hmm.heap().allocate(JAVA_FLOAT, COUNT);
            for (int i = 0; i < COUNT; i++) {
                in.setAtIndex(JAVA_FLOAT, i, i % KINDS);
            }
            MemorySegment out = hmm.heap().allocate((long) COUNT * Float.BYTES, PAGE);
            hmm.program(Source.resource("paged.cl")).kernel("scale_cached").args(Arg.heap(Arg.in(in), Arg.out(out)), in.address(), out.address(), (long) COUNT, 1000, 2f, 1f)
                    .launch(NDRange.of(Math.ceilDiv(COUNT, 1000)).local(1)).await();
            MemorySegment[] small = {hmm.heap().allocate(4), hmm.heap().allocate(4)};
            hmm.program(Source.resource("access.cl")).kernel("empty3").args(Arg.out(out.asSlice(0, 40L * PAGE)), small[0], small[1]).launch(NDRange.of(1)).await();
            for (int i = 0; i < COUNT; i++) {
                float value = out.getAtIndex(JAVA_FLOAT, i);
                assertThat(value == 0 || (value % 2 == 1 && value < 2 * KINDS)).as("element %d is %s", i, value).isTrue();
            }
        }
    }
}
