package io.github.hmm4j.demos.bfs;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.Access;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.demos.graph.CsrGraph;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/// The same where host access is checked: Java opens a view of what it touches.
final class BfsChecked extends BfsManaged {
    BfsChecked(Hmm hmm, CsrGraph graph, boolean paged) {
        super(hmm, graph, paged);
    }

    @Override
    void load(CsrGraph graph) {
        try (HostView rows = heap.view(row, Access.WRITE); HostView columns = heap.view(col, Access.WRITE)) {
            rows.segment().copyFrom(graph.rowOffsets());
            columns.segment().copyFrom(graph.columns());
        }
    }

    @Override
    void search(int source, Consumer<MemorySegment> reader) {
        super.search(source, depths -> {
            try (HostView view = heap.view(depths, Access.READ)) {
                reader.accept(view.segment());
            }
        });
    }

    @Override
    void start(int source) {
        try (HostView view = heap.view(depth, Access.WRITE)) {
            view.segment().fill((byte) BfsLevels.UNREACHED);
            view.segment().setAtIndex(JAVA_INT, source, 0);
        }
    }

    @Override
    boolean takeChanged() {
        try (HostView view = heap.view(changed, Access.WRITE)) {
            boolean found = view.segment().get(JAVA_INT, 0) != 0;
            view.segment().set(JAVA_INT, 0, 0);
            return found;
        }
    }
}
