package io.github.hmm4j.space;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/// The pages that some ranges name, each once: sorted when it is made, so that to ask for one of many pages or ranges takes no look at all of these.
///
/// Threads: any.
public final class PageSet {

    private final long[] firsts; // in order, and apart from each other
    private final long[] ends;

    private PageSet(long[] firsts, long[] ends) {
        this.firsts = firsts;
        this.ends = ends;
    }

    /// @param ranges in any order; they may overlap, or be empty
    public static PageSet of(Collection<PageRange> ranges) {
        List<PageRange> sorted = ranges.stream().filter(range -> !range.isEmpty()).sorted(Comparator.comparingLong(PageRange::first)).toList();
        long[] firsts = new long[sorted.size()];
        long[] ends = new long[sorted.size()];
        int count = 0;
        for (PageRange range : sorted) {
            if (count > 0 && range.first() <= ends[count - 1]) {
                ends[count - 1] = Math.max(ends[count - 1], range.end());
            } else {
                firsts[count] = range.first();
                ends[count] = range.end();
                count++;
            }
        }
        return new PageSet(Arrays.copyOf(firsts, count), Arrays.copyOf(ends, count));
    }

    public boolean contains(long page) {
        int at = firstThatEndsBehind(page);
        return at < firsts.length && firsts[at] <= page;
    }

    /// The parts of a range that are not in the set, in order.
    public List<PageRange> outside(PageRange range) {
        List<PageRange> parts = new ArrayList<>();
        long page = range.first();
        for (int i = firstThatEndsBehind(page); i < firsts.length && firsts[i] < range.end(); i++) {
            if (page < firsts[i]) {
                parts.add(new PageRange(page, firsts[i]));
            }
            page = ends[i];
        }
        if (page < range.end()) {
            parts.add(new PageRange(page, range.end()));
        }
        return parts;
    }

    private int firstThatEndsBehind(long page) {
        int at = Arrays.binarySearch(ends, page);
        return at < 0 ? -at - 1 : at + 1;
    }
}
