package io.github.hmm4j.demos.tree;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.Access;
import io.github.hmm4j.Arg;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.ManagedHeap;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Consumer;

/// Looks words up in a tree on the managed heap: Java builds it, the kernel follows Java's own pointers.
final class TreeManaged {
    private final ManagedHeap heap;
    private final int count;
    private final MemorySegment nodes;
    private final MemorySegment words;
    private final MemorySegment offsets;
    private final MemorySegment hashes;
    private final MemorySegment found;
    private final WordTree tree;
    private final Kernel treeSearch;

    TreeManaged(Hmm hmm, List<String> treeWords, Lookups lookups) {
        this.heap = hmm.heap();
        this.count = lookups.count();
        nodes = heap.allocate(WordTree.sizeBytes(treeWords));
        words = heap.allocate(lookups.wordsBytes());
        offsets = heap.allocate(lookups.offsetsBytes());
        hashes = heap.allocate(lookups.hashesBytes());
        found = heap.allocate(JAVA_INT, count);
        try (HostView view = heap.view(nodes, Access.WRITE)) {
            tree = WordTree.build(treeWords, view.segment(), view.addressOf(0));
        }
        try (HostView w = heap.view(words, Access.WRITE); HostView o = heap.view(offsets, Access.WRITE);
                HostView h = heap.view(hashes, Access.WRITE)) {
            lookups.pack(w.segment(), o.segment(), h.segment());
        }
        treeSearch = hmm.program(Source.resource("tree.cl")).kernel("tree_search");
    }

    /// Answers all look-ups and shows the answers to `reader`, which may not keep them.
    void search(Consumer<MemorySegment> reader) {
        treeSearch.args(Arg.heap(Arg.in(nodes)), tree.rootAddress(), words, offsets, hashes, Arg.out(found), count,
            tree.depth()).launch(NDRange.covering(new long[] {count}, 64)).await();
        try (HostView view = heap.view(found, Access.READ)) {
            reader.accept(view.segment());
        }
    }

    /// The same search in Java, through the same pointers.
    int find(String word) {
        try (HostView view = heap.view(nodes, Access.READ)) {
            return tree.find(word, view.segment(), view.addressOf(0));
        }
    }

    /// Takes everything back from the device, as it was before a search.
    void bringHome() {
        List.of(nodes, words, offsets, hashes, found).forEach(heap::prefetchHost);
    }

    WordTree tree() {
        return tree;
    }
}
