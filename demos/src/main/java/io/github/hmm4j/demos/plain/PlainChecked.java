package io.github.hmm4j.demos.plain;

import io.github.hmm4j.Access;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.function.BiConsumer;

/// The same where host access is checked: Java opens a view of what it touches.
final class PlainChecked extends PlainManaged {
    PlainChecked(Hmm hmm, long rows) {
        super(hmm, rows);
    }

    @Override
    void fill() {
        try (HostView view = heap.view(words, Access.WRITE)) {
            Picture.fill(view.segment());
        }
    }

    @Override
    void run(BiConsumer<MemorySegment, MemorySegment> reader) {
        super.run((added, smooth) -> {
            try (HostView sumsView = heap.view(added, Access.READ); HostView blurredView = heap.view(smooth, Access.READ)) {
                reader.accept(sumsView.segment(), blurredView.segment());
            }
        });
    }
}
