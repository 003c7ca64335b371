package io.github.hmm4j.demos.join;

import io.github.hmm4j.Access;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/// The same where host access is checked: Java opens a view of what it touches.
final class JoinChecked extends JoinManaged {
    JoinChecked(Hmm hmm, Orders task) {
        super(hmm, task);
    }

    @Override
    void fill() {
        try (HostView rows = heap.view(probe, Access.WRITE); HostView table = heap.view(build, Access.WRITE)) {
            task.fillProbe(rows.segment());
            task.fillBuild(table.segment());
        }
    }

    @Override
    void join(Consumer<MemorySegment> reader) {
        super.join(result -> {
            try (HostView view = heap.view(result, Access.READ)) {
                reader.accept(view.segment());
            }
        });
    }
}
