package io.github.hmm4j.demos.matmul;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.github.hmm4j.Arg;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.ManagedHeap;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/// Multiplies matrices on the managed heap: allocate, fill, launch, look.
class MatmulManaged {
    final ManagedHeap heap;
    final int n;
    final MemorySegment r;
    final MemorySegment a;
    final MemorySegment b;
    final Kernel mulMat;

    MatmulManaged(Hmm hmm, int n) {
        this.heap = hmm.heap();
        this.n = n;
        r = heap.allocate(JAVA_FLOAT, (long) n * n);
        a = heap.allocate(JAVA_FLOAT, (long) n * n);
        b = heap.allocate(JAVA_FLOAT, (long) n * n);
        mulMat = hmm.program(Source.resource("matmul.cl")).kernel("mul_mat");
    }

    void fill(long seedA, long seedB) {
        Matrices.fill(a, seedA);
        Matrices.fill(b, seedB);
    }

    /// Multiplies and shows the product to `reader`, which may not keep it.
    void multiply(Consumer<MemorySegment> reader) {
        NDRange eighths = NDRange.covering(new long[] {(n + 7) / 8, (n + 7) / 8}, 8, 8);
        mulMat.args(Arg.out(r), a, b, n).launch(eighths).await();
        reader.accept(r);
    }
}
