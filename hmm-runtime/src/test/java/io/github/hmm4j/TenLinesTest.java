package io.github.hmm4j;

import static io.github.hmm4j.Arg.out;
import static java.lang.Math.ceilDiv;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.pager.Ladder;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A program of ten lines, on a real OpenCL device.
class TenLinesTest {

    private static final int n = 200;

    private final float[] matrixA = filled(1);
    private final float[] matrixB = filled(2);
    private float result;

    private static float[] filled(float value) {
        float[] matrix = new float[n * n];
        Arrays.fill(matrix, value);
        return matrix;
    }

    @Test
    void multipliesMatricesWithoutACopyInSight() {
        assumeTrue(Ladder.best().mode().isTransparent(), Ladder.best().why());
        try (Hmm hmm = Hmm.builder().heap(ByteSize.gib(1)).open()) {           // picks a device and logs which and why
            ManagedHeap heap = hmm.heap();                                     // a SegmentAllocator
            MemorySegment a = heap.allocateFrom(JAVA_FLOAT, matrixA);
            MemorySegment b = heap.allocateFrom(JAVA_FLOAT, matrixB);
            MemorySegment r = heap.allocate(JAVA_FLOAT, (long) n * n);
            Kernel mulMat = hmm.program(Source.resource("matmul.cl")).kernel("mul_mat");
            mulMat.args(out(r), a, b, n).launch(NDRange.covering(new long[] {ceilDiv(n, 8), ceilDiv(n, 8)}, 8, 8)).await();
            result = r.getAtIndex(JAVA_FLOAT, 0);                              // a page fault brings that page home; a and b never left
        }
        assertThat(result).isEqualTo(2f * n);
    }

    /// Where page faults cannot be had, or are not wanted.
    @ParameterizedTest
    @EnumSource
    void withCheckedAccessItTakesAView(ClBinding binding) {
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(64)).binding(binding).hostAccess(HostAccess.Mode.CHECKED).open()) {
            ManagedHeap heap = hmm.heap();
            MemorySegment a = heap.allocateFrom(JAVA_FLOAT, matrixA);
            MemorySegment r = squared(hmm, a);
            try (HostView view = heap.view(r, Access.READ)) {
                assertThat(view.segment().toArray(JAVA_FLOAT)).containsOnly(n);
            }
            assertThatThrownBy(() -> r.getAtIndex(JAVA_FLOAT, 0)).isInstanceOf(WrongThreadException.class);
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyElementIsRightThroughEitherBinding(ClBinding binding) {
        assumeTrue(Ladder.best().mode().isTransparent(), Ladder.best().why());
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(64)).binding(binding).open()) {
            MemorySegment r = squared(hmm, hmm.heap().allocateFrom(JAVA_FLOAT, matrixA));
            assertThat(hmm.heap().residency(r).onDevice(hmm.device())).as("bytes on the device before Java looks").isGreaterThanOrEqualTo(r.byteSize());
            assertThat(r.toArray(JAVA_FLOAT)).containsOnly(n);
            assertThat(hmm.report().count(Counter.VIEWS_OPENED)).as("views but the one that filled the matrix").isEqualTo(1);
        }
    }

    /// The product of a matrix of ones with itself is `n` everywhere.
    private static MemorySegment squared(Hmm hmm, MemorySegment a) {
        MemorySegment r = hmm.heap().allocate(JAVA_FLOAT, (long) n * n);
        Kernel mulMat = hmm.program(Source.resource("matmul.cl")).kernel("mul_mat");
        mulMat.args(r, a, a, n).launch(NDRange.covering(new long[] {ceilDiv(n, 8), ceilDiv(n, 8)}, 8, 8)).await();
        return r;
    }
}
