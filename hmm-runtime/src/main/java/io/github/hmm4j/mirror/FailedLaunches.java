package io.github.hmm4j.mirror;

import io.github.hmm4j.account.Accounts;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.space.PageRange;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/// What becomes of pages whose kernel has failed: they are poisoned, and the last few failures are kept for those who find such pages.
///
/// Threads: any.
final class FailedLaunches {

    private static final int KEPT = 32;

    private record Failure(PageRange pages, String why) {}

    private final PageTable table;
    private final Accounts accounts;
    private final Deque<Failure> last = new ArrayDeque<>(); // the latest first

    FailedLaunches(PageTable table, Accounts accounts) {
        this.table = table;
        this.accounts = accounts;
    }

    /// Poisons what a launch was to write. To be called while it still counts as in flight: whoever has one of the pages claimed waits for it, and poisons the page itself.
    void poison(int device, PageRange pages, HmmException failure) {
        note(pages, failure); // before the first page says so
        long poisoned = 0;
        for (long page = pages.first(); page < pages.end(); page++) {
            poisoned += table.loseKernelWrites(page, device) ? 1 : 0;
        }
        accounts.add(Counter.POISONED_PAGES, poisoned);
    }

    /// As far as there is memory for that: telling must not stop the poisoning.
    private synchronized void note(PageRange pages, HmmException failure) {
        try {
            Failure noted = new Failure(pages, String.valueOf(failure.getMessage()));
            if (last.size() == KEPT) {
                last.removeLast();
            }
            last.addFirst(noted);
        } catch (OutOfMemoryError e) {
            return; // then nobody hears why
        }
    }

    synchronized Optional<String> why(long page) {
        return last.stream().filter(failure -> failure.pages().contains(page)).map(Failure::why).findFirst();
    }
}
