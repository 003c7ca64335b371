package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The program of the README, on a real OpenCL device.
class TenLinesTest {

    @ParameterizedTest
    @EnumSource
    void multipliesMatricesWithoutACopyInSight(ClBinding binding) {
        int n = 200;
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(64)).binding(binding).open()) {
            ManagedHeap heap = hmm.heap();
            MemorySegment a = heap.allocate(JAVA_FLOAT, (long) n * n);
            MemorySegment b = heap.allocate(JAVA_FLOAT, (long) n * n);
            MemorySegment r = heap.allocate(JAVA_FLOAT, (long) n * n);
            fill(heap, a, 1);
            fill(heap, b, 2);
            Kernel mulMat = hmm.program(Source.resource("matmul.cl")).kernel("mul_mat");
            mulMat.args(r, a, b, n).launch(NDRange.of((n + 63) / 64 * 8, (n + 63) / 64 * 8).local(8, 8)).await();
            try (var view = heap.view(r, Access.READ)) {
                for (long i = 0; i < (long) n * n; i++) {
                    assertThat(view.segment().getAtIndex(JAVA_FLOAT, i)).isEqualTo(2f * n);
                }
            }
            assertThatThrownBy(() -> r.getAtIndex(JAVA_FLOAT, 0)).isInstanceOf(WrongThreadException.class);
        }
    }

    private static void fill(ManagedHeap heap, MemorySegment segment, float value) {
        try (var view = heap.view(segment, Access.WRITE)) {
            for (long i = 0; i < segment.byteSize() / 4; i++) {
                view.segment().setAtIndex(JAVA_FLOAT, i, value);
            }
        }
    }
}
