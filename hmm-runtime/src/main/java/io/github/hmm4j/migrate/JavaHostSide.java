package io.github.hmm4j.migrate;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.FramePool;
import io.github.hmm4j.error.SystemCallFailedException;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.page.PageState;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.page.Transition;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.PageSize;
import io.github.hmm4j.space.Protection;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/// The host side where host access is checked: nothing is mapped for the program, so there are no mappings to keep in step.
public final class JavaHostSide implements HostSide {

    private static final long NO_CLAIM = -1; // no word has a state of 15

    private final ManagedPages heap;
    private final PageTable table;
    private final StuckCopies stuck = new StuckCopies();
    private final ToHost toHost;

    public JavaHostSide(ManagedPages heap, HostLock hostLock) {
        this.heap = heap;
        this.table = heap.table();
        toHost = new ToHost(heap, hostLock, stuck);
    }

    @Override
    public MigrationReport fetch(PageRange pages, ToHost.Access access, Cause cause) {
        MigrationReport report = toHost.fetch(pages, access, cause);
        InPlacePages.awaitKernels(heap, this, pages, access, cause);
        return report;
    }

    @Override
    public void unpin(PageRange pages, boolean write) {
        for (long page = pages.first(); page < pages.end(); page++) {
            table.unpin(page, write);
        }
    }

    @Override
    public void forbid(PageRange pages, boolean keepReading) {
        // the host reaches pages through views only, and those look at the words
    }

    @Override
    public void setAccess(PageRange pages, Protection protection) {
        // as above
    }

    @Override
    public void discard(PageRange pages) {
        stuck.refuse(pages);
        BitSet withMemory = new BitSet(Math.toIntExact(pages.count()));
        // asked first: from the first word on nothing may fail
        boolean inPlace = heap.coherentDevices() != 0 || heap.worksInPlace();
        for (long page = table.writtenFrom(pages.first(), pages.end()); page < pages.end(); page = table.writtenFrom(page + 1, pages.end())) {
            long word;
            do {
                word = table.word(page);
            } while (!table.transition(page, Transition.DISCARD, word, PageWord.toEmpty(word)));
            withMemory.set((int) (page - pages.first()), PageWord.state(word) != PageState.EMPTY);
        }
        if (inPlace) {
            Unwinding.awaitLaunches(heap.inFlight(), pages); // a kernel that works in place would still write to the empty page, or read it too early
        }
        release(pages, withMemory);
    }

    /// The words say that the pages read as zeros; where the operating system does not see to that, we do.
    private void release(PageRange pages, BitSet withMemory) {
        PageSize size = heap.space().pageSize();
        try {
            heap.space().host().release(size.offsetOf(pages.first()), size.bytesFor(pages.count()));
        } catch (SystemCallFailedException | OutOfMemoryError e) {
            for (int i = withMemory.nextSetBit(0); i >= 0; i = withMemory.nextSetBit(i + 1)) {
                heap.space().host().zero(size.offsetOf(pages.first() + i), size.bytes());
            }
        }
    }

    @Override
    public void relocate(DeviceMirror mirror, long page, int frame) {
        PageRange single = new PageRange(page, page + 1);
        long claim = claimIfResident(mirror, page);
        try {
            heap.inFlight().awaitUsesOn(mirror.index(), single);
            if (claim != NO_CLAIM) {
                copyFrame(mirror, mirror.frameOf(page), frame);
                mirror.copyRegion(mirror.frameOf(page), frame);
                heap.accounts().increment(Counter.RELOCATED_PAGES);
            }
            mirror.unassign(page);
            mirror.assign(page, frame);
        } finally {
            if (claim != NO_CLAIM) {
                leave(mirror, page, claim);
            }
        }
    }

    private long claimIfResident(DeviceMirror mirror, long page) {
        Backoff backoff = new Backoff();
        while (true) {
            long word = table.word(page);
            if (PageWord.state(word).isClaimed()) {
                backoff.pause();
            } else if (!PageWord.isReadableOn(word, mirror.index())) {
                return NO_CLAIM;
            } else {
                long claim = PageWord.toClaimedForHost(word, false);
                if (table.transition(page, Transition.CLAIM_FOR_HOST, word, claim)) {
                    return claim;
                }
            }
        }
    }

    private static void copyFrame(DeviceMirror mirror, int from, int to) {
        FramePool pool = mirror.pool();
        Completion copy = mirror.copies().onDevice(
                pool.memoryOf(from), pool.offsetOf(from), pool.memoryOf(to), pool.offsetOf(to), mirror.pageBytes());
        try {
            copy.await();
        } catch (OutOfMemoryError e) {
            Unwinding.await(copy); // the frame is going to be somebody else's
            throw e;
        }
    }

    /// 1. claim each page, so that no launch can start on it; one that has changed since is somebody else's business now;
    /// 2. wait for launches that were published before;
    /// 3. if none has used the page since, the host copy is still the page: give it back; if one has, leave the page on the device.
    @Override
    public int takeBack(UndoLog moved) {
        Claims claims = moved.taken();
        for (int i = 0; i < moved.size(); i++) {
            long word = table.word(moved.page(i));
            long claim = PageWord.toClaimedForHost(word, true);
            if (PageWord.isSameVersion(word, moved.committed(i))
                    && table.transition(moved.page(i), Transition.CLAIM_FOR_HOST, word, claim)) {
                claims.add(moved.page(i), claim, moved.before(i));
            }
        }
        if (claims.isEmpty()) {
            return 0;
        }
        moved.announce();
        DeviceMirror mirror = moved.mirror();
        boolean nothingLaunched = heap.inFlight().launchedOn(mirror.index()) == moved.launchedBefore();
        int back = 0;
        for (int i = 0; i < claims.size(); i++) {
            if (!PageWord.isDoomed(table.word(claims.page(i))) && (nothingLaunched || !mirror.isUsedSince(claims.page(i), moved.clock()))) {
                putBack(mirror, claims.page(i), claims.word(i), claims.before(i));
                back++;
            } else {
                leave(mirror, claims.page(i), claims.word(i));
            }
        }
        moved.endAnnouncement();
        return back;
    }

    private void putBack(DeviceMirror mirror, long page, long claim, long before) {
        int own = 1 << mirror.index();
        long word;
        long next;
        do {
            word = table.word(page); // claimed by us: only pins can change
            if (PageWord.state(before) == PageState.EMPTY) {
                next = PageWord.isMarkedRead(before) ? PageWord.toEmptyMarkedRead(word) : PageWord.toEmpty(word);
            } else {
                // Other devices have what they have now, which may be less than before; this one has again what it had.
                next = PageWord.toShared(word, (PageWord.sharers(claim) & ~own) | (PageWord.sharers(before) & own));
            }
        } while (!table.transition(page, Transition.UNDO, word, next));
    }

    /// The claim ends and the page is where it was, or poisoned if a kernel failed meanwhile that was to write it.
    private void leave(DeviceMirror mirror, long page, long claim) {
        int sharers = PageWord.sharers(claim);
        long word;
        boolean lost;
        do {
            word = table.word(page);
            lost = sharers == 0 && PageWord.isDoomed(word);
        } while (!(lost ? table.transition(page, Transition.POISON, word, PageWord.toPoisoned(word))
                : table.transition(page, Transition.RESTORE, word, sharers != 0 ? PageWord.toShared(word, sharers) : PageWord.toDevice(word, mirror.index()))));
        if (lost) {
            heap.accounts().increment(Counter.POISONED_PAGES);
        }
    }

    /// Copies between devices are native code's.
    @Override
    public @Nullable Crossed cross(DeviceMirror mirror, PageRange pages, Crossing crossing) {
        return null;
    }

    @Override
    public boolean mayBeWritten(PageRange pages) {
        return stuck.writingTo(pages) != null;
    }

    @Override
    public void releaseHostMemory(DeviceMirror mirror, PageRange pages) {
        throw new IllegalStateException("host memory of pages on a device is released with transparent host access only, pages=" + pages);
    }
}
