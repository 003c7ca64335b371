package io.github.hmm4j.migrate;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.DeviceTable;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.PageUse;
import io.github.hmm4j.page.PageState;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.space.PageRange;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Set;

/// What comes along with the faults of one launch, and what became of it. Used by one thread, which holds the device's lock.
final class AheadPages {

    private final ManagedPages heap;
    private final DeviceMirror mirror;
    private final List<PageUse> uses;
    private final List<AheadSource.Watch> watches; // of each use
    private final Set<Long> unused = new HashSet<>(); // what came along, as far as it is still there and nobody is known to have used it

    AheadPages(ManagedPages heap, DeviceMirror mirror, AheadSource source, List<PageUse> uses) {
        this.heap = heap;
        this.mirror = mirror;
        this.uses = uses;
        watches = uses.stream().map(_ -> source.watch()).toList();
    }

    /// Adds to what is missing of a use what is to come as well.
    ///
    /// @param coming pages, and whether to be written; those that come along are asked for as the one before them
    /// @param room   frames that there are for that
    /// @return how many were added
    int add(int use, NavigableMap<Long, Boolean> coming, int room) {
        AheadSource.Watch watch = watches.get(use);
        int added = 0;
        Map.Entry<Long, Boolean> at = coming.firstEntry();
        while (at != null) {
            long end = at.getKey() + 1;
            while (coming.containsKey(end)) {
                end++;
            }
            boolean writes = Objects.requireNonNull(coming.get(end - 1));
            long behind = Math.min(watch.pagesBehind(new PageRange(at.getKey(), end)), uses.get(use).pages().end() - end);
            long page = end;
            while (page < end + behind && !coming.containsKey(page) && mayCome(page, writes)) {
                if (added >= room) {
                    heap.accounts().increment(Counter.DEVICE_AHEAD_LATE);
                } else {
                    coming.put(page, writes);
                    unused.add(page);
                    added++;
                }
                page++;
            }
            at = coming.higherEntry(page - 1);
        }
        watch.endRound();
        heap.accounts().add(Counter.DEVICE_AHEAD, added);
        return added;
    }

    /// Whether a page is on the host, and nobody says no.
    private boolean mayCome(long page, boolean writes) {
        long word = heap.table().word(page);
        PageState state = PageWord.state(word);
        boolean onHost = state == PageState.HOST || state == PageState.EMPTY || state == PageState.SHARED;
        return onHost && !mirror.canUse(word, writes) && !PageWord.isPinnedAgainst(word, writes) && (writes ? PageWord.isWritable(word) : PageWord.isReadable(word));
    }

    /// A kernel has used a page.
    void used(long page) {
        if (unused.remove(page)) {
            heap.accounts().increment(Counter.DEVICE_AHEAD_USED);
        }
    }

    /// Pages have given up their frames.
    void left(long[] pages) {
        for (long page : pages) {
            if (!unused.isEmpty() && !mirror.isPaged(page) && unused.remove(page)) {
                heap.accounts().increment(Counter.DEVICE_AHEAD_WASTED);
            }
        }
    }

    /// The launch is over.
    void end() {
        if (!unused.isEmpty()) {
            DeviceTable table = Objects.requireNonNull(mirror.deviceTable());
            uses.forEach(use -> table.harvest(use.pages(), this::used));
            heap.accounts().add(Counter.DEVICE_AHEAD_WASTED, unused.size());
            unused.clear();
        }
    }
}
