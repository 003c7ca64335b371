package io.github.hmm4j.demos.micro;

import io.github.hmm4j.account.Accounts;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.LaunchTable;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.Notifier;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.page.Transition;
import io.github.hmm4j.space.AddressSpace;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.PageSize;
import io.github.hmm4j.timeline.Timeline;
import java.util.List;

/// Two ranges of pages, of which one is on a device, and of the other every second run of sixteen.
final class PagesInRuns implements AutoCloseable {
    static final int PAGES = 4096;
    static final int DEVICE = 0;
    private static final int RUN = 16;
    private static final int PAGE_BYTES = 4096;

    private final AddressSpace space = new AddressSpace(2L * PAGES * PAGE_BYTES, new PageSize(PAGE_BYTES));
    private final PageTable table = new PageTable(space.pageCount(), space.pageSize());
    final DeviceMirror mirror = new DeviceMirror(DEVICE, new NoDriver(), space, table, PAGE_BYTES);
    private final Accounts accounts = new Accounts();
    final ManagedPages heap = new ManagedPages(space, table, new LaunchTable(table, accounts), new Notifier(), accounts,
        new Timeline(accounts, null), List.of(mirror));
    final PageRange resident;
    final PageRange mixed;

    PagesInRuns() {
        PageRange all = space.pagesOf(space.allocate(2L * PAGES * PAGE_BYTES, 1).range());
        resident = new PageRange(all.first(), all.first() + PAGES);
        mixed = new PageRange(all.first() + PAGES, all.end());
        for (long page = all.first(); page < all.end(); page++) {
            if (resident.contains(page) || (page - mixed.first()) / RUN % 2 == 0) {
                long claim = PageWord.toClaimedForDevice(table.word(page), DEVICE, true);
                table.transition(page, Transition.CLAIM_FOR_DEVICE, table.word(page), claim);
                table.transition(page, Transition.COMMIT_DEVICE, claim, PageWord.toDevice(claim, DEVICE));
            }
        }
    }

    @Override
    public void close() {
        mirror.close();
        table.close();
        space.close();
    }
}
