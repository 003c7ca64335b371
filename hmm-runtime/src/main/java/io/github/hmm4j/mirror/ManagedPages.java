package io.github.hmm4j.mirror;

import io.github.hmm4j.account.Accounts;
import io.github.hmm4j.page.PageTable;
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
        return Snapshot.take(space, table, device, pages);
    }

    /// Address, in the runtime's own mapping, of the host bytes of a page.
    public long aliasOf(long page) {
        return space.host().alias().address() + space.pageSize().offsetOf(page);
    }
}
