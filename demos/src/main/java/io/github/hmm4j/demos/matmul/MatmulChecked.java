package io.github.hmm4j.demos.matmul;

import io.github.hmm4j.Access;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/// The same where host access is checked: Java opens a view of what it touches.
final class MatmulChecked extends MatmulManaged {
    MatmulChecked(Hmm hmm, int n) {
        super(hmm, n);
    }

    @Override
    void fill(long seedA, long seedB) {
        try (HostView viewA = heap.view(a, Access.WRITE); HostView viewB = heap.view(b, Access.WRITE)) {
            Matrices.fill(viewA.segment(), seedA);
            Matrices.fill(viewB.segment(), seedB);
        }
    }

    @Override
    void multiply(Consumer<MemorySegment> reader) {
        super.multiply(product -> {
            try (HostView view = heap.view(product, Access.READ)) {
                reader.accept(view.segment());
            }
        });
    }
}
