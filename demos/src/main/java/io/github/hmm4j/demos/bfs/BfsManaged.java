package io.github.hmm4j.demos.bfs;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.Access;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.ManagedHeap;
import io.github.hmm4j.demos.graph.CsrGraph;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Consumer;

/// Searches a graph on the managed heap, one launch a level; between two launches Java looks at one flag.
final class BfsManaged {
    private final ManagedHeap heap;
    private final int n;
    private final MemorySegment row;
    private final MemorySegment col;
    private final MemorySegment depth;
    private final MemorySegment changed;
    private final Kernel bfsLevel;

    BfsManaged(Hmm hmm, CsrGraph graph) {
        this.heap = hmm.heap();
        this.n = graph.vertexCount();
        row = heap.allocate(JAVA_LONG, n + 1L);
        col = heap.allocate(JAVA_INT, Math.max(1, graph.edgeCount()));
        depth = heap.allocate(JAVA_INT, n);
        changed = heap.allocate(JAVA_INT);
        try (HostView rows = heap.view(row, Access.WRITE); HostView columns = heap.view(col, Access.WRITE)) {
            rows.segment().copyFrom(graph.rowOffsets());
            columns.segment().copyFrom(graph.columns());
        }
        bfsLevel = hmm.program(Source.resource("bfs.cl")).kernel("bfs_level");
    }

    /// Searches from `source` and shows the depth of every vertex to `reader`, which may not keep them.
    void search(int source, Consumer<MemorySegment> reader) {
        try (HostView view = heap.view(depth, Access.WRITE)) {
            view.segment().fill((byte) BfsLevels.UNREACHED);
            view.segment().setAtIndex(JAVA_INT, source, 0);
        }
        NDRange vertices = NDRange.covering(new long[] {n}, 64);
        for (int level = 0; level == 0 || takeChanged(); level++) {
            bfsLevel.args(row, col, depth, changed, level, n).launch(vertices).await();
        }
        try (HostView view = heap.view(depth, Access.READ)) {
            reader.accept(view.segment());
        }
    }

    /// Whether the last level found anything; clears the flag for the next.
    private boolean takeChanged() {
        try (HostView view = heap.view(changed, Access.WRITE)) {
            boolean found = view.segment().get(JAVA_INT, 0) != 0;
            view.segment().set(JAVA_INT, 0, 0);
            return found;
        }
    }

    /// Takes everything back from the device, as it was before a search.
    void bringHome() {
        List.of(row, col, depth, changed).forEach(heap::prefetchHost);
    }
}
