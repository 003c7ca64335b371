package io.github.hmm4j.demos.tree;

import io.github.hmm4j.Access;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Consumer;

/// The same where host access is checked: Java opens a view of what it touches. A view has another address than the
/// memory that it shows, so the pointers to store come from [HostView#addressOf].
final class TreeChecked extends TreeManaged {
    TreeChecked(Hmm hmm, List<String> treeWords, Lookups lookups) {
        super(hmm, treeWords, lookups);
    }

    @Override
    WordTree build(List<String> treeWords, Lookups lookups) {
        try (HostView w = heap.view(words, Access.WRITE); HostView o = heap.view(offsets, Access.WRITE);
                HostView h = heap.view(hashes, Access.WRITE); HostView n = heap.view(nodes, Access.WRITE)) {
            lookups.pack(w.segment(), o.segment(), h.segment());
            return WordTree.build(treeWords, n.segment(), n.addressOf(0));
        }
    }

    @Override
    void search(Consumer<MemorySegment> reader) {
        super.search(answers -> {
            try (HostView view = heap.view(answers, Access.READ)) {
                reader.accept(view.segment());
            }
        });
    }

    @Override
    int find(String word) {
        try (HostView view = heap.view(nodes, Access.READ)) {
            return tree.find(word, view.segment(), view.addressOf(0));
        }
    }
}
