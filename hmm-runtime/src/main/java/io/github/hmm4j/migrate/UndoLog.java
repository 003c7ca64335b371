package io.github.hmm4j.migrate;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.account.Direction;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.InvalidationKind;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.Notifier;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.page.Transition;
import io.github.hmm4j.space.PageRange;
import java.util.ArrayList;
import java.util.List;

/// What a launch has moved to its device so far, so that a launch that does not happen leaves every page where it was.
///
/// Putting a page back copies nothing: its host copy has not changed since it left. That is only true while no kernel has run on the page, so the log remembers the
/// device's clock and how many launches the device had seen before the first move, and a page that another launch has used meanwhile stays where it is. A page that
/// none has used must go back: if its old contents were to be overwritten, its frame has never held them. Used by one thread.
public final class UndoLog {

    private final ManagedPages heap;
    private final DeviceMirror mirror;
    private final long launchedBefore;
    private final int clockBefore;
    private final Claims moved = new Claims(); // page, word as committed, word before the claim

    /// Made before anything is moved.
    public UndoLog(ManagedPages heap, DeviceMirror mirror) {
        this.heap = heap;
        this.mirror = mirror;
        launchedBefore = heap.inFlight().launchedOn(mirror.index());
        clockBefore = mirror.tick();
    }

    /// The device's clock when this began: pages that arrive count as used at that time.
    int clock() {
        return clockBefore;
    }

    void add(long page, long committed, long before) {
        moved.add(page, committed, before);
    }

    /// Puts pages back that nobody has used or moved since.
    ///
    /// 1. claim each page, so that no launch can start on it; one that has changed since is somebody else's business now;
    /// 2. wait for launches that were published before;
    /// 3. if none has used the page since, the host copy is still the page: give it back; if one has, leave the page on the device.
    void undo(HostLock hostLock) {
        try (HostLock.Hold _ = hostLock.shared()) {
            PageTable table = heap.table();
            Claims claims = new Claims();
            for (int i = 0; i < moved.size(); i++) {
                long word = table.word(moved.page(i));
                long claim = PageWord.toClaimedForHost(word, true);
                if (PageWord.isSameVersion(word, moved.word(i))
                        && table.transition(moved.page(i), Transition.CLAIM_FOR_HOST, word, claim)) {
                    claims.add(moved.page(i), claim, moved.before(i));
                }
            }
            List<Notifier.Token> invalidations = new ArrayList<>();
            for (PageRange range : claims.ranges()) {
                invalidations.add(heap.notifier().begin(heap.space().addressesOf(range), InvalidationKind.MIGRATE, -1));
                heap.inFlight().awaitConflicts(range, false);
            }
            boolean nothingLaunched = heap.inFlight().launchedOn(mirror.index()) == launchedBefore;
            int undone = 0;
            for (int i = 0; i < claims.size(); i++) {
                if (nothingLaunched || !mirror.isUsedSince(claims.page(i), clockBefore)) {
                    putBack(table, claims.page(i), claims.word(i), claims.before(i));
                    undone++;
                } else {
                    leave(table, claims.page(i), claims.word(i));
                }
            }
            invalidations.forEach(Notifier.Token::close);
            heap.accounts().add(Counter.MIGRATE_UNDONE_PAGES, undone);
            heap.accounts().moved(Cause.UNDO, Direction.TO_HOST, undone, 0);
        }
    }

    private void putBack(PageTable table, long page, long claim, long before) {
        int own = 1 << mirror.index();
        // Other devices have what they have now, which may be less than before; this one has again what it had.
        int sharers = (PageWord.sharers(claim) & ~own) | (PageWord.sharers(before) & own);
        table.settle(page, Transition.UNDO, claim, word -> switch (PageWord.state(before)) {
            case EMPTY -> PageWord.isMarkedRead(before) ? PageWord.toEmptyMarkedRead(word) : PageWord.toEmpty(word);
            default -> PageWord.toShared(word, sharers);
        });
    }

    private void leave(PageTable table, long page, long claim) {
        int sharers = PageWord.sharers(claim);
        table.settle(page, Transition.RESTORE, claim, word -> sharers != 0
                ? PageWord.toShared(word, sharers)
                : PageWord.toDevice(word, mirror.index()));
    }
}
