package io.github.hmm4j.demos.bfs;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.Arg;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.ManagedHeap;
import io.github.hmm4j.demos.graph.CsrGraph;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Consumer;

/// Searches a graph on the managed heap, one launch a level; between two launches Java looks at one flag.
///
/// Paged, the kernel finds the graph by its addresses, and the device need not have room for it.
class BfsManaged {
    final ManagedHeap heap;
    final boolean paged;
    final int n;
    final MemorySegment row;
    final MemorySegment col;
    final MemorySegment depth;
    final MemorySegment changed;
    final Kernel bfsLevel;

    BfsManaged(Hmm hmm, CsrGraph graph, boolean paged) {
        this.heap = hmm.heap();
        this.paged = paged;
        this.n = graph.vertexCount();
        row = heap.allocate(JAVA_LONG, n + 1L);
        col = heap.allocate(JAVA_INT, Math.max(1, graph.edgeCount()));
        depth = heap.allocate(JAVA_INT, n);
        changed = heap.allocate(JAVA_INT);
        load(graph);
        bfsLevel = paged ? hmm.program(Source.resource("paged.cl")).kernel("bfs_level_paged") : hmm.program(Source.resource("bfs.cl")).kernel("bfs_level");
    }

    void load(CsrGraph graph) {
        row.copyFrom(graph.rowOffsets());
        col.copyFrom(graph.columns());
    }

    /// Searches from `source` and shows the depth of every vertex to `reader`, which may not keep them.
    void search(int source, Consumer<MemorySegment> reader) {
        start(source);
        NDRange vertices = NDRange.covering(new long[] {n}, 64);
        for (int level = 0; level == 0 || takeChanged(); level++) {
            level(level).launch(vertices).await();
        }
        reader.accept(depth);
    }

    private Kernel.Call level(int level) {
        return paged ? bfsLevel.args(Arg.heap(Arg.in(row), Arg.in(col)), row.address(), col.address(), depth, changed, level, 0, n)
            : bfsLevel.args(row, col, depth, changed, level, n);
    }

    void start(int source) {
        depth.fill((byte) BfsLevels.UNREACHED);
        depth.setAtIndex(JAVA_INT, source, 0);
    }

    /// Whether the last level found anything; clears the flag for the next.
    boolean takeChanged() {
        boolean found = changed.get(JAVA_INT, 0) != 0;
        changed.set(JAVA_INT, 0, 0);
        return found;
    }

    /// Takes everything back from the device, as it was before a search.
    void bringHome() {
        List.of(row, col, depth, changed).forEach(heap::prefetchHost);
    }
}
