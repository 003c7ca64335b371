package io.github.hmm4j.migrate;

import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.SystemCallFailedException;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.InvalidationKind;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.Notifier;
import io.github.hmm4j.page.PageState;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.page.Transition;
import io.github.hmm4j.space.AddressSpace;
import io.github.hmm4j.space.Generation;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.PlacementAdvice;
import io.github.hmm4j.space.Protection;
import io.github.hmm4j.space.Region;
import io.github.hmm4j.space.VaRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What the program does to regions: allocate, free, protect, discard, move. Each announces itself to the mirrors before the old pages can be used for anything else.
///
/// Pages under an open view refuse all but allocation. Threads: any; each call holds the host lock exclusively while it changes words, and, but for moving, not while it waits for a launch.
public final class RegionChanges {

    private static final Logger LOG = LoggerFactory.getLogger(RegionChanges.class);
    private static final String CLOSING_AN_ARENA = "closing the arena";

    private final ManagedPages heap;
    private final AddressSpace space;
    private final PageTable table;
    private final HostLock hostLock;
    private final HostSide hostSide;
    private final Evictor evictor;
    private final RegionWords words;
    private final BooleanSupplier kernelsRun = this::kernelsRun; // made here: nothing is once a region is gone

    /// One past the highest page that was ever unmapped: pages beyond have never had a region, and their words need no preparation.
    private volatile long unmappedEnd;
    /// Freed, and not free yet.
    private volatile @Nullable Leaving kept;

    public RegionChanges(ManagedPages heap, HostLock hostLock, HostSide hostSide, Evictor evictor) {
        this.heap = heap;
        this.space = heap.space();
        this.table = heap.table();
        this.hostLock = hostLock;
        this.hostSide = hostSide;
        this.evictor = evictor;
        words = new RegionWords(table);
    }

    /// Before the first region: free space is nobody's, so that an access there is an error. Without this, what never was in a region reads as zeros.
    public void closeFreeSpace() {
        noteUnmapped(space.pageCount());
        for (long page = 0; page < space.pageCount(); ) {
            long next = table.setBlock(page, space.pageCount(), PageWord.unwrittenWithoutRegion());
            if (next == page) {
                throw new IllegalStateException("somebody uses page " + page);
            }
            page = next;
        }
    }

    /// Allocates a region. If this throws, there is none.
    ///
    /// @param handle makes what is returned, before the region is allocated
    public <T> T allocate(long lengthBytes, long alignmentBytes, Function<Region, T> handle) {
        return allocate(lengthBytes, alignmentBytes, null, handle);
    }

    /// The same for an owner who frees it with others of his ([#freeTogether]).
    ///
    /// @param owner what their segments have in common
    public <T> T allocate(long lengthBytes, long alignmentBytes, @Nullable Generation owner, Function<Region, T> handle) {
        finishKept();
        Allocated<T> allocated = space.allocate(lengthBytes, alignmentBytes, owner, region -> allocated(region, handle));
        try {
            openAgain(allocated.leaving.pages);
        } catch (RuntimeException | Error e) {
            allocated.leaving.isRegion = true;
            finishOrKeep(allocated.leaving);
            throw e;
        }
        return allocated.handle;
    }

    /// @param leaving how it goes, if nobody is to hear of it
    private record Allocated<T>(Region region, Leaving leaving, T handle) {}

    private <T> Allocated<T> allocated(Region region, Function<Region, T> handle) {
        return new Allocated<>(region, new Leaving(region.range(), space.pagesOf(region.range())),
                handle.apply(region));
    }

    /// Of new pages, those that had a region before: their words say that they have none, and a touch of them was an
    /// error.
    private void openAgain(PageRange pages) {
        long end = Math.min(pages.end(), unmappedEnd);
        if (end <= pages.first()) {
            return;
        }
        PageRange used = new PageRange(pages.first(), end);
        for (long page = used.first(); page < used.end(); ) {
            long next = table.setBlock(page, used.end(), PageWord.unwritten(Protection.READ_WRITE));
            if (next == page) {
                long word = table.word(page);
                if (PageWord.state(word) == PageState.UNMAPPED) {
                    table.transition(page, Transition.MAP, word, PageWord.toEmpty(word));
                }
                next = page + 1;
            }
            page = next;
        }
        hostSide.setAccess(used, Protection.READ_WRITE);
    }

    /// Frees whole pages of one region, with their host memory and their frames. Launches in flight that use them are waited for.
    ///
    /// If this throws, nothing was freed. What fails once the region is gone (a system call, the device, the Java heap) is made good later: until then the addresses are nobody's.
    ///
    /// @param check runs when nobody else can free any more, before anything is changed: what it throws keeps all as it is
    /// @throws IllegalStateException if a view of one of the pages is open
    public void free(VaRange range, Runnable check) {
        finishKept();
        PageRange pages = space.pagesOf(range);
        Leaving leaving = new Leaving(range, pages);
        Backoff backoff = new Backoff();
        awaitFaulting(pages, "free");
        try (var _ = heap.notifier().begin(range, InvalidationKind.UNMAP, -1)) {
            try (HostLock.Hold _ = hostLock.exclusive(List.of(pages))) {
                check.run();
                requireNoViews(pages, "free");
                leaving.generation = space.unmap(range);
                unmap(leaving, backoff);
            }
            finishOrKeep(leaving);
        }
        space.endGenerations(kernelsRun);
    }

    /// A thread that has touched what a kernel uses sleeps until that has ended, and takes note of nothing.
    private boolean kernelsRun() {
        for (int device = 0; device < heap.mirrors().size(); device++) {
            if (!heap.inFlight().usedOn(device).isEmpty()) {
                return true;
            }
        }
        return false;
    }

    /// Frees whole regions, all or none of them.
    ///
    /// @param ending runs when no view stands in the way and none can be opened, before the first of them is gone; what it throws keeps all of them
    /// @throws IllegalStateException if a view of one of the pages is open
    public void freeTogether(List<VaRange> ranges, Runnable ending) {
        finishKept();
        List<Leaving> leaving = ranges.stream().map(range -> new Leaving(range, space.pagesOf(range))).toList();
        List<PageRange> all = leaving.stream().map(one -> one.pages).toList();
        Backoff backoff = new Backoff();
        List<Notifier.Token> announced = new ArrayList<>(ranges.size());
        for (Leaving one : leaving) {
            awaitFaulting(one.pages, CLOSING_AN_ARENA);
        }
        try {
            for (VaRange range : ranges) {
                announced.add(heap.notifier().begin(range, InvalidationKind.UNMAP, -1)); // there is room
            }
            try (HostLock.Hold _ = hostLock.exclusive(all)) {
                for (Leaving one : leaving) {
                    requireNoViews(one.pages, CLOSING_AN_ARENA);
                }
                ending.run();
                for (int i = 0; i < leaving.size(); i++) {
                    unmapRegion(leaving.get(i), backoff);
                }
            }
            for (int i = 0; i < leaving.size(); i++) {
                finishOrKeep(leaving.get(i));
            }
        } finally {
            for (int i = announced.size() - 1; i >= 0; i--) {
                announced.get(i).close();
            }
        }
    }

    /// A kernel that faults would find no region any more, or one that forbids what it does, and fail: it is waited for first, with no lock held. Not
    /// behind a view that refuses the change anyhow: the kernel may wait for that.
    private void awaitFaulting(PageRange pages, String what) {
        List<DeviceMirror> mirrors = heap.mirrors();
        for (int i = 0; i < mirrors.size(); i++) {
            if (mirrors.get(i).isFaulting()) {
                requireNoViews(pages, what);
                heap.inFlight().awaitUsesOn(i, pages);
            }
        }
    }

    /// Where the Java heap is full it stays a region that nobody has heard of, which [#finish] takes away.
    private void unmapRegion(Leaving leaving, Backoff backoff) {
        leaving.isRegion = true;
        try {
            leaving.generation = space.unmap(leaving.range);
            leaving.isRegion = false;
            unmap(leaving, backoff);
        } catch (OutOfMemoryError e) {
            return;
        }
    }

    private synchronized void unmap(Leaving leaving, Backoff backoff) {
        unmappedEnd = Math.max(unmappedEnd, leaving.pages.end());
        leaving.allOnHost = true;
        for (long page = leaving.pages.first(); page < leaving.pages.end(); ) {
            long next = words.unmapBlock(page, leaving.pages.end());
            leaving.allOnHost &= next == page;
            if (next == page) {
                PageState before = PageWord.state(words.unmap(page, backoff));
                leaving.allOnHost &= before == PageState.HOST || before == PageState.SHARED;
                next = page + 1;
            }
            page = next;
        }
    }

    /// Each step can be made again.
    private void finish(Leaving leaving) {
        PageRange pages = leaving.pages;
        if (leaving.isRegion && !unmapRegion(leaving)) {
            keep(leaving);
            return;
        }
        hostSide.forbid(pages, false);
        heap.inFlight().awaitConflicts(pages, false);
        freeFrames(pages);
        if (hostSide.mayBeWritten(pages)) {
            keep(leaving); // by a command that was given up: until it has ended they are nobody's
            return;
        }
        if (!leaving.hostMemoryIsGone) {
            if (leaving.allOnHost || space.host().isBacked(pages)) {
                leaving.hostMemoryIsKept = space.host().retire(pages);
            } else {
                releaseHost(pages);
            }
            leaving.hostMemoryIsGone = true;
        }
        space.recycle(leaving.range, leaving.hostMemoryIsKept, leaving.generation);
    }

    /// Takes a region away that nobody has heard of. Who has kept its addresses from before may use it all the same;
    /// while he has a view it stays.
    private boolean unmapRegion(Leaving leaving) {
        Backoff backoff = new Backoff();
        try (var _ = heap.notifier().begin(leaving.range, InvalidationKind.UNMAP, -1);
                HostLock.Hold _ = hostLock.exclusive(List.of(leaving.pages))) {
            if (hasViews(leaving.pages)) {
                return false;
            }
            leaving.generation = space.unmap(leaving.range);
            leaving.isRegion = false;
            noteUnmapped(leaving.pages.end());
            words.unmap(leaving.pages, backoff);
            return true;
        }
    }

    /// Never fails.
    private void finishOrKeep(Leaving leaving) {
        try {
            finish(leaving);
        } catch (HmmException | OutOfMemoryError e) {
            keep(leaving);
            warn(leaving, e);
        }
    }

    private static void warn(Leaving leaving, Throwable reason) {
        try {
            LOG.warn("range={} is not free yet; it is tried again with the next allocation", leaving.range, reason);
        } catch (OutOfMemoryError e) {
            return; // telling must not stop anybody
        }
    }

    private synchronized void keep(Leaving leaving) {
        leaving.next = kept;
        kept = leaving;
    }

    private synchronized @Nullable Leaving takeKept() {
        Leaving all = kept;
        kept = null;
        return all;
    }

    /// Frees what could not be freed at once, as far as it can be freed now.
    private void finishKept() {
        if (kept == null) {
            return;
        }
        Leaving leaving = takeKept();
        while (leaving != null) {
            Leaving next = leaving.next;
            finishOrKeep(leaving);
            leaving = next;
        }
    }

    private void freeFrames(PageRange pages) {
        List<DeviceMirror> mirrors = heap.mirrors();
        for (int i = 0; i < mirrors.size(); i++) {
            DeviceMirror mirror = mirrors.get(i);
            mirror.lock().takeAlone();
            try {
                evictor.freeFrames(mirror, pages);
                liftQuota(mirror, pages);
            } finally {
                mirror.lock().leave();
            }
        }
    }

    /// Where native code keeps them; it would hold what comes to lie there next to the quota of what is gone.
    private void liftQuota(DeviceMirror mirror, PageRange pages) {
        if (mirror.isFaulting()) {
            hostSide.setQuota(mirror, pages, PlacementAdvice.NO_QUOTA);
        }
    }

    private void releaseHost(PageRange pages) {
        for (long page = table.writtenFrom(pages.first(), pages.end()); page < pages.end(); ) {
            long end = table.unwrittenFrom(page, pages.end());
            space.host().forgetBacked(page, end);
            page = table.writtenFrom(end, pages.end());
        }
        space.host().releaseForgotten(pages);
    }

    /// Changes what may be done with the pages that the range touches. Pages stay where they are; launches in flight that use them in a mode that is now forbidden are waited for.
    ///
    /// @param check runs when no region can go any more, before anything is changed: what it throws keeps all as it is
    /// @throws io.github.hmm4j.error.SystemCallFailedException if the operating system refuses; then the words say what they said before
    public void protect(VaRange range, Protection protection, Runnable check) {
        PageRange pages = space.pagesOf(range);
        Backoff backoff = new Backoff();
        if (protection != Protection.READ_WRITE) {
            awaitFaulting(pages, "protect " + protection);
        }
        try (var _ = heap.notifier().begin(range, InvalidationKind.PROTECT, -1)) {
            try (HostLock.Hold _ = hostLock.exclusive(List.of(pages))) {
                check.run(); // first: the end of an arena is told as that
                space.regionOf(range);
                if (protection != Protection.READ_WRITE) {
                    requireNoViews(pages, "protect " + protection);
                }
                Protections before = Protections.of(table, pages);
                try {
                    protect(pages, protection, backoff);
                    hostSide.setAccess(pages, protection);
                } catch (RuntimeException | Error e) {
                    for (int i = 0; i < before.size(); i++) {
                        protect(before.pages(i), before.protection(i), backoff);
                    }
                    restoreAccess(before);
                    throw e;
                }
            }
            if (protection != Protection.READ_WRITE) {
                heap.inFlight().awaitConflicts(pages, protection == Protection.READ);
            }
        }
    }

    /// After the words: as far as the operating system goes along, since an app mapping that allows less costs a fault.
    private void restoreAccess(Protections before) {
        try {
            for (int i = 0; i < before.size(); i++) {
                hostSide.setAccess(before.pages(i), before.protection(i));
            }
        } catch (SystemCallFailedException | OutOfMemoryError e) {
            return; // one error is enough
        }
    }

    private void protect(PageRange pages, Protection protection, Backoff backoff) {
        for (long page = pages.first(); page < pages.end(); ) {
            long next = table.setBlock(page, pages.end(), PageWord.unwritten(protection));
            if (next == page) {
                protect(page, protection, backoff);
                next = page + 1;
            }
            page = next;
        }
    }

    private void protect(long page, Protection protection, Backoff backoff) {
        while (true) {
            long word = words.unclaimedForHost(page, backoff);
            if (PageWord.state(word) == PageState.TO_DEVICE) {
                long next = PageWord.toShared(word, PageWord.sharers(word));
                table.transition(page, Transition.ABORT, word, next);
            } else if (table.transition(page, Transition.PROTECT, word, PageWord.withProtection(word, protection))) {
                return;
            }
        }
    }

    /// Declares the contents of all pages dead of which nothing outside the range is allocated: they read as zeros and cost no transfer any more.
    ///
    /// @param check as for [#protect]
    public void discard(VaRange range, Runnable check) {
        PageRange pages = space.wholePagesOf(range);
        if (pages.isEmpty()) {
            return;
        }
        try (var _ = heap.notifier().begin(space.addressesOf(pages), InvalidationKind.CLEAR, -1);
                HostLock.Hold _ = hostLock.exclusive(List.of(pages))) {
            check.run(); // as above
            space.regionOf(range);
            requireNoViews(pages, "discard");
            hostSide.discard(pages);
        }
    }

    /// Moves a whole region to a new address. Host pages are copied within host memory; pages on a device stay there, and their frames stand for the new address
    /// (under an aperture, where the frame is the address, they come home first).
    ///
    /// If this throws, the region is where it was, with all that is in it.
    ///
    /// @param check  as for [#free]
    /// @param handle makes what is returned of the new region; the old addresses are free then
    public <T> T move(VaRange range, Runnable check, Function<Region, T> handle) {
        finishKept();
        T moved = moved(range, check, handle);
        space.endGenerations(kernelsRun);
        return moved;
    }

    private <T> T moved(VaRange range, Runnable check, Function<Region, T> handle) {
        Region old = space.regionOf(range);
        if (!old.range().equals(range)) {
            throw new IllegalArgumentException("range=" + range
                    + " is a part of an allocation, and only all of it moves, region=" + old.range());
        }
        Leaving from = new Leaving(range, space.pagesOf(range));
        awaitFaulting(from.pages, "move");
        List<DeviceMirror> mirrors = heap.mirrors();
        int locked = 0;
        try {
            for (; locked < mirrors.size(); locked++) {
                mirrors.get(locked).lock().takeAlone();
            }
            // Under the locks: the new addresses may be known from before, and a migration of them must not come first.
            Allocated<T> target = space.allocateLike(old, region -> allocated(region, handle));
            Leaving left = target.leaving;
            left.isRegion = true;
            try (var _ = heap.notifier().begin(range, InvalidationKind.UNMAP, -1)) {
                try (HostLock.Hold _ = hostLock.exclusive(List.of(from.pages, target.leaving.pages))) {
                    check.run();
                    requireNoViews(from.pages, "move");
                    RegionMove move = new RegionMove(heap, hostSide, words, from.pages, target.leaving.pages);
                    move.prepare();
                    space.advise(target.region.range(), _ -> space.regionOf(range).advice()); // what was said of it until now
                    copyQuotas(space.regionOf(target.region.range()));
                    carryOut(move, from, target);
                    left = from;
                }
            } finally {
                finishOrKeep(left);
            }
            return target.handle;
        } finally {
            while (locked > 0) {
                locked--;
                mirrors.get(locked).lock().leave();
            }
        }
    }

    private void copyQuotas(Region region) {
        for (DeviceMirror mirror : heap.mirrors()) {
            long quota = region.advice().quotaOn(mirror.index());
            if (mirror.isFaulting() && quota != PlacementAdvice.NO_QUOTA) {
                hostSide.setQuota(mirror, space.pagesOf(region.range()), quota);
            }
        }
    }

    private void carryOut(RegionMove move, Leaving from, Allocated<?> target) {
        Protections protections = Protections.of(table, from.pages);
        noteUnmapped(Math.max(from.pages.end(), target.leaving.pages.end()));
        move.closeTarget();
        try {
            move.take();
            from.generation = space.unmap(from.range);
        } catch (RuntimeException | Error e) {
            move.putBack();
            restoreAccess(protections);
            throw e;
        }
        move.settle(target.region.id());
    }

    private synchronized void noteUnmapped(long end) {
        unmappedEnd = Math.max(unmappedEnd, end);
    }

    private boolean hasViews(PageRange pages) {
        for (long page = table.writtenFrom(pages.first(), pages.end()); page < pages.end(); page = table.writtenFrom(page + 1, pages.end())) {
            if (PageWord.isPinned(table.word(page))) {
                return true;
            }
        }
        return false;
    }

    private void requireNoViews(PageRange pages, String what) {
        for (long page = table.writtenFrom(pages.first(), pages.end()); page < pages.end(); page = table.writtenFrom(page + 1, pages.end())) {
            long word = table.word(page);
            if (PageWord.isPinned(word)) {
                throw new IllegalStateException(String.format(Locale.ROOT, "%s refused: a view of address=0x%x is open (%s)",
                        what, space.addressOf(page), PageWord.describe(word)));
            }
        }
    }
}
