package io.github.hmm4j.demos.tree;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// The right answers to look-ups, from a [HashMap].
public final class LookupOracle {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final List<String> asked;
    private final int[] expected;
    private final int hits;

    private LookupOracle(List<String> asked, int[] expected, int hits) {
        this.asked = asked;
        this.expected = expected;
        this.hits = hits;
    }

    /// Answers all look-ups in the words of a tree, where the value of a word is its index.
    public static LookupOracle answer(List<String> treeWords, Lookups lookups) {
        Map<String, Integer> values = HashMap.newHashMap(treeWords.size());
        for (String word : treeWords) {
            values.put(word, values.size());
        }
        int[] expected = new int[lookups.count()];
        int hits = 0;
        int query = 0;
        for (String word : lookups.words()) {
            int value = values.getOrDefault(word, Lookups.ABSENT);
            hits += value == Lookups.ABSENT ? 0 : 1;
            expected[query++] = value;
        }
        return new LookupOracle(lookups.words(), expected, hits);
    }

    public int hits() {
        return hits;
    }

    public int misses() {
        return expected.length - hits;
    }

    /// Says what is wrong with `found`, one int a look-up; empty when all answers are right.
    public Optional<String> firstError(MemorySegment found) {
        for (int query = 0; query < expected.length; query++) {
            int answer = found.getAtIndex(INT, query);
            if (answer != expected[query]) {
                return Optional.of(String.format(Locale.ROOT, "look-up %d of '%s': found=%d, expected=%d",
                    query, asked.get(query), answer, expected[query]));
            }
        }
        return Optional.empty();
    }
}
