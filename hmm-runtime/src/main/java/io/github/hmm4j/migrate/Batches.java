package io.github.hmm4j.migrate;

import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.PageSize;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongPredicate;

/// How a migration is cut into batches, each of which is claimed, copied and committed as one.
final class Batches {

    /// Large enough that submitting and waiting cost nothing beside the copy.
    private static final long BATCH_BYTES = 16L << 20;

    /// Batches of one migration between their claims and their commit. More than two, so that the device does not run dry while the thread that
    /// feeds it waits for a processor.
    static final int UNDER_WAY = 4;

    private Batches() {}

    /// The ranges in the same order, cut and grouped so that each group has as many pages as a batch takes.
    static List<List<PageRange>> of(List<PageRange> ranges, PageSize pageSize) {
        return of(ranges, Math.max(1, BATCH_BYTES / pageSize.bytes()));
    }

    static List<List<PageRange>> of(List<PageRange> ranges, long batchPages) {
        List<List<PageRange>> batches = new ArrayList<>();
        long room = 0;
        for (PageRange range : ranges) {
            for (long first = range.first(); first < range.end(); ) {
                if (room == 0) {
                    batches.add(new ArrayList<>());
                    room = batchPages;
                }
                long end = Math.min(first + room, range.end());
                batches.getLast().add(new PageRange(first, end));
                room -= end - first;
                first = end;
            }
        }
        return batches;
    }

    /// The same pages in fewer ranges, which have others between those of before.
    ///
    /// @param ranges      in order
    /// @param mostBetween how many pages two of them may have between them to become one
    /// @param harmless    which pages may come along
    static List<PageRange> joined(List<PageRange> ranges, int mostBetween, LongPredicate harmless) {
        List<PageRange> joined = new ArrayList<>(ranges.size());
        for (PageRange range : ranges) {
            PageRange last = joined.isEmpty() ? null : joined.getLast();
            long page = last == null ? 0 : last.end();
            if (last != null && range.first() - page <= mostBetween) {
                while (page < range.first() && harmless.test(page)) {
                    page++;
                }
            }
            if (last != null && page == range.first()) {
                joined.set(joined.size() - 1, new PageRange(last.first(), range.end()));
            } else {
                joined.add(range);
            }
        }
        return joined;
    }

    /// Offers each page to `handle`, and adds those that it does not take to `left`, in as few ranges as possible.
    static void eachPage(PageRange range, LongPredicate handle, List<PageRange> left) {
        long leftFirst = -1;
        for (long page = range.first(); page <= range.end(); page++) {
            boolean taken = page == range.end() || handle.test(page);
            if (!taken && leftFirst < 0) {
                leftFirst = page;
            } else if (taken && leftFirst >= 0) {
                left.add(new PageRange(leftFirst, page));
                leftFirst = -1;
            }
        }
    }
}
