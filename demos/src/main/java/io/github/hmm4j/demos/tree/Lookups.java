package io.github.hmm4j.demos.tree;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;

/// Words to look up, and how they are handed to the kernel `tree_search`: their bytes joined, offsets, hashes.
///
/// @param words in the order asked; may repeat
public record Lookups(List<String> words) {
    /// The answer for a word that is not in the tree.
    public static final int ABSENT = -1;
    /// The answer when a search gave up because the tree is deeper than it was told.
    public static final int TOO_DEEP = -2;

    private static final int MISSES_IN_FOUR = 1;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    public Lookups {
        words = List.copyOf(words);
    }

    /// Draws `count` words, three in four from `known`, the others near misses: a known word with one letter changed.
    public static Lookups random(List<String> known, int count, long seed) {
        if (known.isEmpty() || count < 0) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "known.size=%d, count=%d",
                known.size(), count));
        }
        Set<String> inTree = new HashSet<>(known);
        SplittableRandom random = new SplittableRandom(seed);
        List<String> words = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            String word = known.get(random.nextInt(known.size()));
            if (random.nextInt(4) < MISSES_IN_FOUR) {
                word = nearMiss(word, inTree, random);
            }
            words.add(word);
        }
        return new Lookups(words);
    }

    private static String nearMiss(String word, Set<String> inTree, SplittableRandom random) {
        StringBuilder changed = new StringBuilder(word);
        while (inTree.contains(changed.toString())) {
            char letter = (char) random.nextInt('a', 'z' + 1);
            int place = random.nextInt(changed.length() + 1);
            if (place == changed.length() || Character.isSurrogate(changed.charAt(place))) {
                changed.append(letter);
            } else {
                changed.setCharAt(place, letter);
            }
        }
        return changed.toString();
    }

    public int count() {
        return words.size();
    }

    /// The size of the joined bytes of all words.
    public long wordsBytes() {
        long bytes = 0;
        for (String word : words) {
            bytes += WordTree.utf8(word).length;
        }
        return bytes;
    }

    /// `count + 1` longs.
    public long offsetsBytes() {
        return (count() + 1L) * Long.BYTES;
    }

    /// `count` longs.
    public long hashesBytes() {
        return (long) count() * Long.BYTES;
    }

    /// Writes all words into three segments of at least the sizes above.
    public void pack(MemorySegment joined, MemorySegment offsets, MemorySegment hashes) {
        long at = 0;
        long query = 0;
        for (String word : words) {
            byte[] bytes = WordTree.utf8(word);
            MemorySegment.copy(bytes, 0, joined, ValueLayout.JAVA_BYTE, at, bytes.length);
            offsets.setAtIndex(LONG, query, at);
            hashes.setAtIndex(LONG, query, WordNode.hash(bytes));
            at += bytes.length;
            query++;
        }
        offsets.setAtIndex(LONG, query, at);
    }
}
