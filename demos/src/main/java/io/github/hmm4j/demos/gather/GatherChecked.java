package io.github.hmm4j.demos.gather;

import io.github.hmm4j.Access;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/// The same where host access is checked: Java opens a view of what it touches.
final class GatherChecked extends GatherManaged {
    GatherChecked(Hmm hmm, Rows task) {
        super(hmm, task);
    }

    @Override
    void fill() {
        try (HostView view = heap.view(table, Access.WRITE)) {
            Rows.fill(view.segment());
        }
    }

    @Override
    void gather(Consumer<MemorySegment> reader) {
        super.gather(rows -> {
            try (HostView view = heap.view(rows, Access.READ)) {
                reader.accept(view.segment());
            }
        });
    }
}
