package io.github.hmm4j.demos.tree;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.Arg;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.ManagedHeap;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Consumer;

/// Looks words up in a tree on the managed heap: Java builds it, the kernel follows Java's own pointers.
class TreeManaged {
    final ManagedHeap heap;
    final int count;
    final MemorySegment nodes;
    final MemorySegment words;
    final MemorySegment offsets;
    final MemorySegment hashes;
    final MemorySegment found;
    final WordTree tree;
    final Kernel treeSearch;

    TreeManaged(Hmm hmm, List<String> treeWords, Lookups lookups) {
        this.heap = hmm.heap();
        this.count = lookups.count();
        nodes = heap.allocate(WordTree.sizeBytes(treeWords));
        words = heap.allocate(lookups.wordsBytes());
        offsets = heap.allocate(lookups.offsetsBytes());
        hashes = heap.allocate(lookups.hashesBytes());
        found = heap.allocate(JAVA_INT, count);
        tree = build(treeWords, lookups);
        treeSearch = hmm.program(Source.resource("tree.cl")).kernel("tree_search");
    }

    WordTree build(List<String> treeWords, Lookups lookups) {
        lookups.pack(words, offsets, hashes);
        return WordTree.build(treeWords, nodes, nodes.address());
    }

    /// Answers all look-ups and shows the answers to `reader`, which may not keep them.
    void search(Consumer<MemorySegment> reader) {
        treeSearch.args(Arg.heap(Arg.in(nodes)), tree.rootAddress(), words, offsets, hashes, Arg.out(found), count,
            tree.depth()).launch(NDRange.covering(new long[] {count}, 64)).await();
        reader.accept(found);
    }

    /// The same search in Java, through the same pointers.
    int find(String word) {
        return tree.find(word, nodes, nodes.address());
    }

    /// Takes everything back from the device, as it was before a search.
    void bringHome() {
        List.of(nodes, words, offsets, hashes, found).forEach(heap::prefetchHost);
    }

    WordTree tree() {
        return tree;
    }
}
