package io.github.hmm4j.migrate;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.InvalidationKind;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.page.PageState;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.page.Transition;
import io.github.hmm4j.space.AddressSpace;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.Protection;
import io.github.hmm4j.space.Region;
import io.github.hmm4j.space.VaRange;
import java.lang.foreign.MemorySegment;

/// What the program does to regions: allocate, free, protect, discard, move. Each announces itself to the mirrors before the old pages can be used for anything else.
///
/// Pages under an open view refuse all but allocation. Threads: any; each call holds the host lock exclusively while it changes words, and,
/// but for moving and for discarding what a coherent device may use in place, not while it waits for a launch.
public final class RegionChanges {

    private final ManagedPages heap;
    private final AddressSpace space;
    private final PageTable table;
    private final HostLock hostLock;
    private final HostSide hostSide;
    private final Evictor evictor;

    /// One past the highest page that was ever unmapped: pages beyond have never had a region, and their words need no preparation.
    private volatile long unmappedEnd;

    public RegionChanges(ManagedPages heap, HostLock hostLock, HostSide hostSide, Evictor evictor) {
        this.heap = heap;
        this.space = heap.space();
        this.table = heap.table();
        this.hostLock = hostLock;
        this.hostSide = hostSide;
        this.evictor = evictor;
    }

    public Region allocate(long lengthBytes, long alignmentBytes) {
        Region region = space.allocate(lengthBytes, alignmentBytes);
        PageRange pages = space.pagesOf(region.range());
        long knownEnd = Math.min(pages.end(), unmappedEnd);
        for (long page = pages.first(); page < knownEnd; page++) {
            long word = table.word(page);
            if (PageWord.state(word) == PageState.UNMAPPED) {
                table.transition(page, Transition.MAP, word, PageWord.toEmpty(word));
            }
        }
        if (pages.first() < knownEnd) {
            hostSide.setAccess(new PageRange(pages.first(), knownEnd), Protection.READ_WRITE); // a touch of the free addresses was an error
        }
        return region;
    }

    /// Frees whole pages of one region, with their host memory and their frames. Launches in flight that use them are waited for.
    ///
    /// @throws IllegalStateException if a view of one of the pages is open; nothing was freed
    public void free(VaRange range) {
        PageRange pages = space.pagesOf(range);
        try (var _ = heap.notifier().begin(range, InvalidationKind.UNMAP, -1)) {
            boolean allOnHost;
            try (HostLock.Hold _ = hostLock.exclusive()) {
                requireNoViews(pages, "free");
                space.unmap(range);
                allOnHost = unmap(pages);
            }
            hostSide.forbid(pages, false);
            heap.inFlight().awaitConflicts(pages, false);
            freeFrames(pages);
            if (allOnHost) {
                space.host().retire(space.pageSize().offsetOf(pages.first()), space.pageSize().bytesFor(pages.count()));
            } else {
                releaseHost(pages);
            }
            space.recycle(range);
        }
    }

    /// Returns whether every page had host memory.
    private synchronized boolean unmap(PageRange pages) {
        unmappedEnd = Math.max(unmappedEnd, pages.end());
        boolean allOnHost = true;
        for (long page = pages.first(); page < pages.end(); page++) {
            PageState before = PageWord.state(unmap(page));
            allOnHost &= before == PageState.HOST || before == PageState.SHARED;
        }
        return allOnHost;
    }

    /// Returns the word from before.
    private long unmap(long page) {
        while (true) {
            long word = unclaimedForHost(page);
            if (table.transition(page, Transition.UNMAP, word, PageWord.toUnmapped(word))) {
                return word;
            }
        }
    }

    /// A word that is not claimed for the host. Java makes no such claims while the host lock is held; a fault may have made one, and ends it without waiting for Java.
    private long unclaimedForHost(long page) {
        Backoff backoff = new Backoff();
        while (true) {
            long word = table.word(page);
            if (PageWord.state(word) != PageState.TO_HOST) {
                return word;
            }
            backoff.pause();
        }
    }

    private void freeFrames(PageRange pages) {
        for (DeviceMirror mirror : heap.mirrors()) {
            mirror.lock().lock();
            try {
                if (!mirror.isCoherent()) {
                    evictor.freeFrames(mirror, pages);
                }
            } finally {
                mirror.lock().unlock();
            }
        }
    }

    private void releaseHost(PageRange pages) {
        space.host().release(space.pageSize().offsetOf(pages.first()), space.pageSize().bytesFor(pages.count()));
    }

    /// Changes what may be done with the pages that the range touches. Pages stay where they are; launches in flight that use them in a mode that is now forbidden are waited for.
    public void protect(VaRange range, Protection protection) {
        PageRange pages = space.pagesOf(range);
        try (var _ = heap.notifier().begin(range, InvalidationKind.PROTECT, -1)) {
            try (HostLock.Hold _ = hostLock.exclusive()) {
                space.regionOf(range);
                if (protection != Protection.READ_WRITE) {
                    requireNoViews(pages, "protect " + protection);
                }
                for (long page = pages.first(); page < pages.end(); page++) {
                    protect(page, protection);
                }
                hostSide.setAccess(pages, protection);
            }
            if (protection != Protection.READ_WRITE) {
                heap.inFlight().awaitConflicts(pages, protection == Protection.READ);
            }
        }
    }

    private void protect(long page, Protection protection) {
        while (true) {
            long word = unclaimedForHost(page);
            if (PageWord.state(word) == PageState.TO_DEVICE) {
                long next = PageWord.toShared(word, PageWord.sharers(word));
                table.transition(page, Transition.ABORT, word, next);
            } else if (table.transition(page, Transition.PROTECT, word, PageWord.withProtection(word, protection))) {
                return;
            }
        }
    }

    /// Declares the contents of all pages that lie wholly in the range dead: they read as zeros and cost no transfer any more.
    public void discard(VaRange range) {
        PageRange pages = space.wholePagesOf(range);
        if (pages.isEmpty()) {
            space.regionOf(range);
            return;
        }
        try (var _ = heap.notifier().begin(space.addressesOf(pages), InvalidationKind.CLEAR, -1);
                HostLock.Hold _ = hostLock.exclusive()) {
            space.regionOf(range);
            requireNoViews(pages, "discard");
            hostSide.discard(pages);
        }
    }

    /// Moves a whole region to a new address. Host pages are copied within host memory; pages on a device stay there, and their frames stand for the new address
    /// (under an aperture, where the frame is the address, they come home first).
    ///
    /// @return the new region; the old addresses are free
    public Region move(VaRange range) {
        Region old = space.regionOf(range);
        if (!old.range().equals(range)) {
            throw new IllegalArgumentException("range=" + range + " is not a whole region, region=" + old.range());
        }
        PageRange from = space.pagesOf(range);
        heap.mirrors().forEach(mirror -> mirror.lock().lock());
        try {
            Region target = allocate(old.requestedBytes(), 1); // under the locks: its addresses may be known from before, and a migration of them must not come first
            boolean moved = false;
            try (var _ = heap.notifier().begin(range, InvalidationKind.UNMAP, -1)) {
                try (HostLock.Hold _ = hostLock.exclusive()) {
                    requireNoViews(from, "move");
                    bringHomeWhatCannotBeReKeyed(from);
                    space.unmap(range);
                    moved = true;
                    moveAll(from, target);
                }
                freeFrames(from);
                releaseHost(from);
                space.recycle(range);
                return target;
            } finally {
                if (!moved) {
                    free(target.range());
                }
            }
        } finally {
            heap.mirrors().reversed().forEach(mirror -> mirror.lock().unlock());
        }
    }

    private void moveAll(PageRange from, Region target) {
        PageRange to = space.pagesOf(target.range());
        long[] words = new long[Math.toIntExact(from.count())];
        for (long page = from.first(); page < from.end(); page++) {
            words[(int) (page - from.first())] = unmap(page);
        }
        noteUnmapped(from.end());
        hostSide.forbid(from, false); // closed to everybody before contents are taken
        for (long page = from.first(); page < from.end(); page++) {
            movePage(page, words[(int) (page - from.first())], to.first() + (page - from.first()), target.id());
        }
    }

    private void bringHomeWhatCannotBeReKeyed(PageRange from) {
        for (long page = from.first(); page < from.end(); page++) {
            long word = table.word(page);
            if (PageWord.state(word) == PageState.DEVICE && heap.mirror(PageWord.device(word)).isAperture()) {
                hostSide.fetch(new PageRange(page, page + 1), ToHost.Access.BRING_HOME, Cause.MOVE);
            }
        }
    }

    /// The new page has no users yet, so its word only has to end up right. A fault next door may still reach for it, if it looked there before this was a region.
    ///
    /// @param word of the old page, before it was unmapped
    private void movePage(long from, long word, long to, int regionId) {
        PageRange single = new PageRange(from, from + 1);
        heap.inFlight().awaitConflicts(single, false);
        switch (PageWord.state(word)) {
            case DEVICE -> reKey(from, to, PageWord.device(word), regionId);
            case HOST, SHARED, TO_DEVICE -> copyHostPage(from, to);
            default -> {}
        }
        if (PageWord.state(word) == PageState.POISONED) {
            settleNew(to, PageState.POISONED, 0);
        }
        Protection protection = PageWord.isWritable(word)
                ? Protection.READ_WRITE
                : PageWord.isReadable(word) ? Protection.READ : Protection.NONE;
        protect(to, protection);
        if (protection != Protection.READ_WRITE) {
            hostSide.setAccess(new PageRange(to, to + 1), protection);
        }
    }

    private synchronized void noteUnmapped(long end) {
        unmappedEnd = Math.max(unmappedEnd, end);
    }

    private void reKey(long from, long to, int device, int regionId) {
        DeviceMirror mirror = heap.mirror(device);
        int frame = mirror.unassign(from);
        mirror.assign(to, frame);
        mirror.setRegion(frame, regionId);
        settleNew(to, PageState.DEVICE, device);
    }

    private void copyHostPage(long from, long to) {
        long pageBytes = space.pageSize().bytes();
        MemorySegment alias = space.host().alias();
        MemorySegment.copy(alias, space.pageSize().offsetOf(from), alias, space.pageSize().offsetOf(to), pageBytes);
        settleNew(to, PageState.HOST, 0);
    }

    private void settleNew(long page, PageState state, int device) {
        while (true) {
            long word = unclaimedForHost(page);
            if (state == PageState.HOST) {
                if (PageWord.state(word) == PageState.HOST || table.transition(page, Transition.FIRST_TOUCH, word, PageWord.toHost(word))) {
                    return;
                }
                continue;
            }
            long claim = PageWord.toClaimedForDevice(word, device, true);
            if (table.transition(page, Transition.CLAIM_FOR_DEVICE, word, claim)) {
                if (PageWord.state(word) != PageState.EMPTY) {
                    hostSide.forbid(new PageRange(page, page + 1), false);
                }
                if (table.transition(page, Transition.COMMIT_DEVICE, claim, PageWord.toDevice(claim, device))) {
                    break;
                }
            }
        }
        if (state == PageState.POISONED) {
            long lost = table.word(page);
            table.transition(page, Transition.POISON, lost, PageWord.toPoisoned(lost));
            heap.accounts().increment(Counter.POISONED_PAGES);
        }
    }

    private void requireNoViews(PageRange pages, String what) {
        for (long page = pages.first(); page < pages.end(); page++) {
            long word = table.word(page);
            if (PageWord.isPinned(word)) {
                throw new IllegalStateException("%s refused: a view of address=0x%x is open (%s)"
                        .formatted(what, space.addressOf(page), PageWord.describe(word)));
            }
        }
    }
}
