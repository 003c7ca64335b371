package io.github.hmm4j.mirror;

import io.github.hmm4j.account.Accounts;
import io.github.hmm4j.page.PageState;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.space.AddressSpace;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.timeline.Timeline;
import java.util.List;

/// Everything that describes one heap's pages, handed around as one: the addresses, the words, what is in flight, and every device's mirror.
///
/// @param mirrors by device index
public record ManagedPages(
        AddressSpace space,
        PageTable table,
        InFlight inFlight,
        Notifier notifier,
        Accounts accounts,
        Timeline timeline,
        List<DeviceMirror> mirrors) {

    public ManagedPages {
        mirrors = List.copyOf(mirrors);
    }

    public DeviceMirror mirror(int device) {
        return mirrors.get(device);
    }

    /// Whether kernels of any device have used host pages where they are, or are about to.
    public boolean worksInPlace() {
        for (int device = 0; device < mirrors.size(); device++) { // no iterator: callers may not fail here
            if (mirrors.get(device).worksInPlace()) {
                return true;
            }
        }
        return false;
    }

    /// How pages look from a device; -1 looks from the host, to which every device is remote.
    public Snapshot snapshot(int device, PageRange pages) {
        return Snapshot.take(space, table, device, pages, this::endOfAlike);
    }

    /// Where the pages end that surely are as one is: all of its block, if that was never touched, or is known to be the same device's altogether.
    ///
    /// @param word of `page`
    public long endOfAlike(long word, long page, long end) {
        if (!table.isWritten(page)) {
            return Math.min(end, table.firstOf(table.blockOf(page) + 1));
        }
        return PageWord.state(word) == PageState.DEVICE ? Math.max(page + 1, mirrors.get(PageWord.device(word)).endOfOwned(page, end)) : page + 1;
    }
}
