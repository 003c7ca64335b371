package io.github.hmm4j.migrate;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.FramePool;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.Quota;
import io.github.hmm4j.page.PageState;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.page.Transition;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.timeline.EvictionEvent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/// Frees frames. A copy that the host has too is dropped; the only copy comes home first; then the launches that may still see the frame are waited for.
///
/// Threads: the caller holds the device's lock, so that nothing moves to the frames meanwhile; it is open while they empty, and shut when they are given up.
public final class Evictor {

    private static final int FEW_PAGES = 64;

    private final ManagedPages heap;
    private final PageTable table;
    private final HostSide hostSide;
    private final VictimSource victims;

    public Evictor(ManagedPages heap, HostSide hostSide, VictimSource victims) {
        this.heap = heap;
        this.table = heap.table();
        this.hostSide = hostSide;
        this.victims = victims;
    }

    /// Frees frames of windows, at least as many as asked for if there are so many outside `keep`; pages that running launches use come last, because they are waited for.
    ///
    /// @return frames freed; 0 means that nothing can be freed
    public int evict(DeviceMirror mirror, int frames, List<PageRange> keep) {
        List<PageRange> keepAndUsed = new ArrayList<>(keep);
        keepAndUsed.addAll(heap.inFlight().usedOn(mirror.index()));
        int freed = evict(mirror, victims.victims(mirror, FramePool.Room.WINDOWS, frames, outside(keepAndUsed)));
        return freed > 0 ? freed : evict(mirror, victims.victims(mirror, FramePool.Room.WINDOWS, frames, outside(keep)));
    }

    /// Pages in frames of the paged chunk, outside `keep`, best victim first.
    ///
    /// @return as many as asked for, or fewer if there are no more
    long[] pagedVictims(DeviceMirror mirror, int frames, LongPredicate keep) {
        return victims.victims(mirror, FramePool.Room.PAGED, frames, keep.negate());
    }

    /// The same of those of one region, wherever their frames are.
    long[] victimsOf(DeviceMirror mirror, Quota quota, int frames, LongPredicate keep) {
        long[] pages = {};
        for (FramePool.Room room : FramePool.Room.values()) {
            if (pages.length < frames) {
                long[] some = victims.victims(mirror, room, frames - pages.length, page -> quota.region().contains(page) && !keep.test(page));
                int count = pages.length;
                pages = Arrays.copyOf(pages, count + some.length);
                System.arraycopy(some, 0, pages, count, some.length);
            }
        }
        return pages;
    }

    /// Takes frames away from a region until it has no more than its quota when pages of it have come that lack theirs; those that running launches use come last, as above.
    ///
    /// @param coming what is not to go: no more of the region than the quota, and apart from each other
    void keepWithin(DeviceMirror mirror, Quota quota, List<PageRange> coming) {
        long over = mirror.held(quota.region()) + lacking(mirror, quota, coming) - quota.pages();
        List<PageRange> keep = new ArrayList<>(coming);
        keep.addAll(heap.inFlight().usedOn(mirror.index()));
        boolean keepsUsed = true;
        while (over > 0) {
            long[] pages = victimsOf(mirror, quota, (int) over, outside(keep).negate());
            int freed = evict(mirror, pages);
            heap.accounts().add(Counter.EVICTED_QUOTA_PAGES, freed);
            over -= freed;
            if (freed == 0 && !keepsUsed) {
                throw new IllegalStateException("region=%s has pages on %s that nothing moves".formatted(quota.region(), mirror));
            }
            if (freed == 0) {
                keepsUsed = false;
                keep = coming;
            }
        }
    }

    private static long lacking(DeviceMirror mirror, Quota quota, List<PageRange> coming) {
        long lacking = 0;
        for (PageRange range : coming) {
            for (long page = Math.max(range.first(), quota.region().first()); page < Math.min(range.end(), quota.region().end()); page++) {
                lacking += mirror.frameOf(page) < 0 ? 1 : 0;
            }
        }
        return lacking;
    }

    /// Asked for one frame after the other, so without a stream.
    private static LongPredicate outside(List<PageRange> ranges) {
        return page -> {
            for (PageRange range : ranges) {
                if (range.contains(page)) {
                    return false;
                }
            }
            return true;
        };
    }

    /// Brings everything home that is on a device and frees all its frames.
    public int evictAll(DeviceMirror mirror) {
        long[] pages = new long[FEW_PAGES];
        int count = 0;
        long pageCount = heap.space().pageCount();
        long frameCount = mirror.memory().capacityFrames(); // as the budget has it, which may be far more
        for (long i = 0; i < Math.min(pageCount, frameCount); i++) {
            long page = frameCount < pageCount ? mirror.pageOf((int) i) : i;
            if (page >= 0 && mirror.frameOf(page) >= 0) {
                if (count == pages.length) {
                    pages = Arrays.copyOf(pages, 2 * count);
                }
                pages[count++] = page;
            }
        }
        return evict(mirror, Arrays.copyOf(pages, count));
    }

    /// Takes the frames of these pages away.
    public int evict(DeviceMirror mirror, long[] pages) {
        return evict(mirror, pages, true);
    }

    /// Takes the frames of these pages away, for somebody who has claimed others. So it waits for nobody's claim: what is claimed keeps its frame. The caller shares the host lock.
    int evictUnclaimed(DeviceMirror mirror, long[] pages) {
        return evict(mirror, pages, false);
    }

    private int evict(DeviceMirror mirror, long[] pages, boolean waits) {
        assert mirror.lock().isAlone();
        EvictionEvent event = pages.length == 0 ? null : heap.timeline().eviction();
        if (event == null) {
            return evict(mirror, pages, waits, null);
        }
        event.of(mirror.index(), mirror.deviceName(), pages.length);
        try {
            int freed = evict(mirror, pages, waits, event);
            event.freed(heap.space().pageSize().bytesFor(freed));
            return freed;
        } finally {
            heap.timeline().end(event);
        }
    }

    private int evict(DeviceMirror mirror, long[] pages, boolean waits, @Nullable EvictionEvent event) {
        Claims left = new Claims();
        mirror.lock().open();
        try {
            Claims owned = new Claims();
            for (PageRange range : ranges(pages)) {
                for (long page = range.first(); page < range.end(); page++) {
                    if (PageWord.isOwnedBy(table.word(page), mirror.index())) {
                        owned.add(page, 0, 0);
                    } else if (dropCopy(mirror, page, waits, event)) {
                        left.add(page, 0, 0);
                    }
                }
            }
            left.reserve(owned.size());
            bringHome(mirror.index(), owned, event);
            for (int i = 0; i < owned.size(); i++) {
                left.add(owned.page(i), 0, 0);
            }
            for (PageRange range : left.ranges()) {
                heap.inFlight().awaitUsesOn(mirror.index(), range); // a launch that comes now does not find them
            }
        } finally {
            mirror.lock().shut(); // arguments that others have made of these frames are given back
        }
        int freed = 0;
        for (PageRange range : left.ranges()) {
            freed += freeFrames(mirror, range);
        }
        return freed;
    }

    private void bringHome(int device, Claims owned, @Nullable EvictionEvent event) {
        if (owned.isEmpty()) {
            return;
        }
        long came = owned.size();
        try {
            hostSide.bringHome(owned.ranges(), Cause.EVICTION);
        } catch (RuntimeException | Error e) {
            came = countNotOwned(device, owned); // those whose copies have not failed
            throw e;
        } finally {
            heap.accounts().add(Counter.EVICTED_DIRTY_PAGES, came);
            if (event != null) {
                event.broughtHome(came);
            }
        }
    }

    private long countNotOwned(int device, Claims pages) {
        long count = 0;
        for (int i = 0; i < pages.size(); i++) {
            count += PageWord.isOwnedBy(table.word(pages.page(i)), device) ? 0 : 1;
        }
        return count;
    }

    /// Makes sure that a page is not valid on the device any more. Returns false if it stays, since somebody has it claimed.
    private boolean dropCopy(DeviceMirror mirror, long page, boolean waits, @Nullable EvictionEvent event) {
        Backoff backoff = new Backoff();
        while (true) {
            long word = table.word(page);
            if (!PageWord.isSharedBy(word, mirror.index()) && !PageWord.isOwnedBy(word, mirror.index())
                    && PageWord.state(word) != PageState.TO_HOST) {
                return true;
            }
            PageState state = PageWord.state(word);
            if (state == PageState.SHARED || state == PageState.PEERS) {
                int others = PageWord.sharers(word) & ~(1 << mirror.index());
                boolean dropped = state == PageState.SHARED ? table.transition(page, Transition.DROP_COPY, word, PageWord.toShared(word, others))
                        : table.transition(page, Transition.DROP_PEER, word, PageWord.toPeers(word, others));
                if (dropped) {
                    heap.accounts().increment(Counter.EVICTED_CLEAN_PAGES);
                    if (event != null) {
                        event.dropped();
                    }
                    return true;
                }
            } else if (PageWord.isOwnedBy(word, mirror.index())) {
                hostSide.fetch(new PageRange(page, page + 1), HostSide.Access.BRING_HOME, Cause.EVICTION);
            } else if (waits) {
                backoff.pause(); // claimed by somebody who will say soon what it is
            } else {
                return false;
            }
        }
    }

    /// The pages are not valid on the device: their frames mean nothing any more.
    int freeFrames(DeviceMirror mirror, PageRange range) {
        int freed = 0;
        int runFirst = -1;
        int runLength = 0;
        for (long page = table.writtenFrom(range.first(), range.end()); page < range.end(); page = table.writtenFrom(page + 1, range.end())) {
            int frame = mirror.frameOf(page);
            if (frame >= 0 && !mirror.isAperture()) {
                if (runLength > 0 && frame != runFirst + runLength) {
                    int length = runLength;
                    runLength = 0;
                    mirror.pool().free(runFirst, length); // before the next is taken away: if this fails, that one keeps its page
                }
                runFirst = runLength == 0 ? frame : runFirst;
                runLength++;
            }
            freed += mirror.vacate(page) < 0 ? 0 : 1;
        }
        if (runLength > 0) {
            mirror.pool().free(runFirst, runLength);
        }
        return freed;
    }

    private static List<PageRange> ranges(long[] pages) {
        long[] sorted = pages.clone();
        Arrays.sort(sorted);
        Claims set = new Claims();
        for (long page : sorted) {
            set.add(page, 0, 0);
        }
        return set.ranges();
    }
}
