package io.github.hmm4j.migrate;

import io.github.hmm4j.space.PageRange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;

/// The pages that one batch holds claimed, in ascending order, each with the word of its claim and the word before it. Used by one thread.
final class Claims {

    private static final long[] NONE = {};

    private long[] pages = NONE; // nothing is claimed for most views, so most of these stay empty
    private long[] words = NONE;
    private long[] before = NONE;
    private int size;

    /// Makes room for more, so that adding so many needs no memory. To be called before a page is claimed: a claim that cannot be noted is a claim for ever.
    void reserve(int more) {
        int needed = Math.addExact(size, more);
        if (needed > before.length) { // the last that grows: all have that much
            int capacity = Math.max(64, Math.max(needed, size * 2));
            pages = Arrays.copyOf(pages, capacity);
            words = Arrays.copyOf(words, capacity);
            before = Arrays.copyOf(before, capacity);
        }
    }

    void add(long page, long claimWord, long wordBefore) {
        reserve(1);
        pages[size] = page;
        words[size] = claimWord;
        before[size] = wordBefore;
        size++;
    }

    /// They have come to their end.
    void clear() {
        size = 0;
    }

    int size() {
        return size;
    }

    boolean isEmpty() {
        return size == 0;
    }

    long page(int i) {
        return pages[i];
    }

    long word(int i) {
        return words[i];
    }

    long before(int i) {
        return before[i];
    }

    /// Whether a page is claimed, and not only to be: then its word is still the one before.
    boolean isClaimed(int i) {
        return words[i] != before[i];
    }

    /// The pages as few ranges as possible.
    List<PageRange> ranges() {
        return ranges(_ -> true);
    }

    /// Those that are claimed.
    List<PageRange> claimedRanges() {
        return ranges(this::isClaimed);
    }

    private List<PageRange> ranges(IntPredicate wanted) {
        List<PageRange> ranges = new ArrayList<>();
        int i = 0;
        while (i < size) {
            int j = i;
            while (j < size && wanted.test(j) && pages[j] == pages[i] + (j - i)) {
                j++;
            }
            if (j > i) {
                ranges.add(new PageRange(pages[i], pages[j - 1] + 1));
            }
            i = Math.max(j, i + 1);
        }
        return ranges;
    }
}
