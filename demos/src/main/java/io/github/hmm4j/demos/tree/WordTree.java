package io.github.hmm4j.demos.tree;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/// A binary search tree of words in one stretch of memory, whose nodes point to each other with plain addresses.
///
/// The words are inserted one after the other, as any Java code would do it; the value of a word is its index. The
/// order is by hash first, so even sorted words give a tree of depth 2 to 3 times `ln(words)`.
///
/// @param rootAddress where the first node is, 0 for an empty tree
/// @param nodeCount one node a word
/// @param depth nodes on the longest path from the root
/// @param usedBytes from the start of the memory
public record WordTree(long rootAddress, int nodeCount, int depth, long usedBytes) {
    /// How much memory the tree of these words takes.
    public static long sizeBytes(List<String> words) {
        long bytes = 0;
        for (String word : words) {
            bytes += WordNode.sizeBytes(utf8(word).length);
        }
        return bytes;
    }

    /// Builds the tree in `memory`.
    ///
    /// @param words distinct
    /// @param baseAddress the address that the first byte of `memory` has for whoever follows the pointers
    /// @throws IllegalArgumentException if `memory` is too small, `baseAddress` is 0 or unaligned, or a word repeats
    public static WordTree build(List<String> words, MemorySegment memory, long baseAddress) {
        if (baseAddress == 0 || baseAddress % WordNode.ALIGNMENT_BYTES != 0) {
            throw new IllegalArgumentException("baseAddress=" + baseAddress);
        }
        if (memory.byteSize() < sizeBytes(words)) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "memory.byteSize=%d, needed=%d",
                memory.byteSize(), sizeBytes(words)));
        }
        long next = 0;
        int depth = 0;
        for (int value = 0; value < words.size(); value++) {
            byte[] word = utf8(words.get(value));
            long hash = WordNode.hash(word);
            WordNode.write(memory, next, hash, word, value);
            depth = Math.max(depth, next == 0 ? 1 : insert(memory, baseAddress, next, hash, word));
            next += WordNode.sizeBytes(word.length);
        }
        return new WordTree(words.isEmpty() ? 0 : baseAddress, words.size(), depth, next);
    }

    /// Hangs a node that is already written under the right parent; returns how many nodes its path has.
    private static int insert(MemorySegment memory, long baseAddress, long node, long hash, byte[] word) {
        long parent = 0;
        int depth = 1;
        while (true) {
            depth++;
            int order = WordNode.compare(hash, word, memory, parent);
            if (order == 0) {
                throw new IllegalArgumentException("word twice: " + new String(word, StandardCharsets.UTF_8));
            }
            long child = WordNode.child(memory, parent, order > 0);
            if (child == 0) {
                WordNode.setChild(memory, parent, order > 0, baseAddress + node);
                return depth;
            }
            parent = child - baseAddress;
        }
    }

    /// Looks `word` up in Java, by the same steps as the kernel; -1 when it is not there.
    public int find(String word, MemorySegment memory, long baseAddress) {
        byte[] bytes = utf8(word);
        long hash = WordNode.hash(bytes);
        long address = rootAddress;
        while (address != 0) {
            long node = address - baseAddress;
            int order = WordNode.compare(hash, bytes, memory, node);
            if (order == 0) {
                return WordNode.value(memory, node);
            }
            address = WordNode.child(memory, node, order > 0);
        }
        return Lookups.ABSENT;
    }

    static byte[] utf8(String word) {
        return word.getBytes(StandardCharsets.UTF_8);
    }
}
