package io.github.hmm4j.migrate;

import io.github.hmm4j.space.PageRange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

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

    /// The claimed pages as few ranges as possible.
    List<PageRange> ranges() {
        List<PageRange> ranges = new ArrayList<>();
        int i = 0;
        while (i < size) {
            int j = i + 1;
            while (j < size && pages[j] == pages[j - 1] + 1) {
                j++;
            }
            ranges.add(new PageRange(pages[i], pages[j - 1] + 1));
            i = j;
        }
        return ranges;
    }
}
