package io.github.hmm4j.migrate;

import io.github.hmm4j.page.PageState;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.page.Transition;
import io.github.hmm4j.space.PageRange;

/// Takes the region away from the words of pages. The caller holds the host lock exclusively.
final class RegionWords {

    private final PageTable table;

    RegionWords(PageTable table) {
        this.table = table;
    }

    void unmap(PageRange pages, Backoff backoff) {
        for (long page = pages.first(); page < pages.end(); ) {
            long next = unmapBlock(page, pages.end());
            if (next == page) {
                if (table.state(page) != PageState.UNMAPPED) {
                    unmap(page, backoff);
                }
                next = page + 1;
            }
            page = next;
        }
    }

    /// A whole block that nobody has ever touched. Returns its end, or `page` if it is none.
    long unmapBlock(long page, long end) {
        return table.setBlock(page, end, PageWord.unwrittenWithoutRegion());
    }

    /// Returns the word from before.
    long unmap(long page, Backoff backoff) {
        while (true) {
            long word = unclaimedForHost(page, backoff);
            if (table.transition(page, Transition.UNMAP, word, PageWord.toUnmapped(word))) {
                return word;
            }
        }
    }

    /// A word that is not claimed for the host. Java makes no such claims while the host lock is held; a fault may have made one, and ends it without waiting for Java.
    long unclaimedForHost(long page, Backoff backoff) {
        while (true) {
            long word = table.word(page);
            if (PageWord.state(word) != PageState.TO_HOST) {
                return word;
            }
            backoff.pause();
        }
    }
}
