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

    void add(long page, long claimWord, long wordBefore) {
        if (size == pages.length) {
            int capacity = Math.max(64, size * 2);
            pages = Arrays.copyOf(pages, capacity);
            words = Arrays.copyOf(words, capacity);
            before = Arrays.copyOf(before, capacity);
        }
        pages[size] = page;
        words[size] = claimWord;
        before[size] = wordBefore;
        size++;
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
