package io.github.hmm4j.demos.stream;

import io.github.hmm4j.Access;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/// The same where host access is checked: Java opens a view of what it touches.
final class StreamChecked extends StreamManaged {
    StreamChecked(Hmm hmm, long count) {
        super(hmm, count);
    }

    @Override
    void fill() {
        try (HostView view = heap.view(in, Access.WRITE)) {
            Numbers.fill(view.segment());
        }
    }

    @Override
    void stream(Consumer<MemorySegment> reader) {
        super.stream(result -> {
            try (HostView view = heap.view(result, Access.READ)) {
                reader.accept(view.segment());
            }
        });
    }
}
