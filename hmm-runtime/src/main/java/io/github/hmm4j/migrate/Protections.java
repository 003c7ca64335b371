package io.github.hmm4j.migrate;

import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.Protection;
import java.util.ArrayList;
import java.util.List;

/// How pages are protected, in as few ranges as possible, so that it can be put back: looking at it takes nothing from the Java heap.
final class Protections {

    private final List<PageRange> pages = new ArrayList<>();
    private final List<Protection> protections = new ArrayList<>();

    private Protections() {}

    /// Of pages that nobody else protects meanwhile. Words that were never written stay so.
    static Protections of(PageTable table, PageRange range) {
        Protections all = new Protections();
        for (long first = range.first(), end; first < range.end(); first = end) {
            Protection protection = PageWord.protection(table.wordByBlock(first));
            for (end = first; end < range.end() && PageWord.protection(table.wordByBlock(end)) == protection; ) {
                end = table.isWritten(end) ? end + 1 : Math.min(table.firstOf(table.blockOf(end) + 1), range.end());
            }
            all.pages.add(new PageRange(first, end));
            all.protections.add(protection);
        }
        return all;
    }

    int size() {
        return pages.size();
    }

    PageRange pages(int index) {
        return pages.get(index);
    }

    Protection protection(int index) {
        return protections.get(index);
    }
}
