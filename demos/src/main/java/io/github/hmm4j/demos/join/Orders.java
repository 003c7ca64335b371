package io.github.hmm4j.demos.join;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.Locale;

/// Two tables to be joined, of which everything is known without looking: articles with a price each, and many more orders of an article and an amount. Half of the orders name no article.
final class Orders {
    static final long ROW_BYTES = 2L * Integer.BYTES;
    private static final int FACTOR = 0x9E3779B1; // of the hash function of join_sums
    private static final int EMPTY = -1;

    private final long count;
    private final int articles;
    private final int slots;

    /// @param count    orders
    /// @param articles that have a price
    Orders(long count, int articles) {
        this.count = count;
        this.articles = articles;
        slots = 2 * Integer.highestOneBit(Math.max(1, 2 * articles - 1));
    }

    long count() {
        return count;
    }

    long probeBytes() {
        return count * ROW_BYTES;
    }

    long buildBytes() {
        return slots * ROW_BYTES;
    }

    int mask() {
        return slots - 1;
    }

    private int keyOf(long order) {
        return (int) (order * 40_503 % (2L * articles));
    }

    private static int amountOf(long order) {
        return (int) (order % 1000) - 300;
    }

    private static int priceOf(int article) {
        return article * 7 + 1;
    }

    void fillProbe(MemorySegment rows) {
        for (long i = 0; i < count; i++) {
            rows.setAtIndex(JAVA_INT, 2 * i, keyOf(i));
            rows.setAtIndex(JAVA_INT, 2 * i + 1, amountOf(i));
        }
    }

    /// The hash table, as `join_sums` expects it.
    void fillBuild(MemorySegment table) {
        for (int slot = 0; slot < slots; slot++) {
            table.setAtIndex(JAVA_INT, 2L * slot, EMPTY);
        }
        for (int article = 0; article < articles; article++) {
            int slot = article * FACTOR & mask();
            while (table.getAtIndex(JAVA_INT, 2L * slot) != EMPTY) {
                slot = slot + 1 & mask();
            }
            table.setAtIndex(JAVA_INT, 2L * slot, article);
            table.setAtIndex(JAVA_INT, 2L * slot + 1, priceOf(article));
        }
    }

    /// What the orders from `first` to before `end` cost.
    private long cost(long first, long end) {
        long sum = 0;
        for (long i = first; i < end; i++) {
            int key = keyOf(i);
            sum += key < articles ? (long) amountOf(i) * priceOf(key) : 0;
        }
        return sum;
    }

    /// The first wrong sum; empty if all are right.
    String firstError(MemorySegment sums, int chunk) {
        for (long at = 0; at * chunk < count; at++) {
            long expected = cost(at * chunk, Math.min(count, (at + 1) * chunk));
            long found = sums.getAtIndex(JAVA_LONG, at);
            if (found != expected) {
                return String.format(Locale.ROOT, "sum %d: found=%d, expected=%d", at, found, expected);
            }
        }
        return "";
    }
}
