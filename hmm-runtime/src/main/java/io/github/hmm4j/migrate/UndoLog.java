package io.github.hmm4j.migrate;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.account.Direction;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.Invalidation;
import io.github.hmm4j.mirror.InvalidationKind;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.Notifier;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.timeline.MigrationEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// What a launch has moved to its device so far, so that a launch that does not happen leaves every page where it was.
///
/// Putting a page back copies nothing: its host copy has not changed since it left. That is only true while no kernel has run on the page, so the log remembers the
/// device's clock and how many launches the device had seen before the first move, and a page that another launch has used meanwhile stays where it is. A page that
/// none has used must go back: if its old contents were to be overwritten, its frame has never held them.
///
/// A launch that fails may fail because the Java heap is full. So all that undoing takes is reserved before anything is moved, and undoing itself takes no memory. Used by one thread.
public final class UndoLog {

    /// A part of the address space in which pages are moved: what undoing announces.
    private static final class Part {

        private final Invalidation invalidation;
        private Notifier.@Nullable Token announced;

        Part(Invalidation invalidation) {
            this.invalidation = invalidation;
        }
    }

    private final ManagedPages heap;
    private final DeviceMirror mirror;
    private final HostLock.Hold hold;
    private final long launchedBefore;
    private final int clockBefore;
    private final Claims moved = new Claims(); // page, word as committed, word before the claim
    private final List<Part> parts = new ArrayList<>();

    /// Made before anything is moved.
    UndoLog(ManagedPages heap, DeviceMirror mirror, HostLock hostLock) {
        this.heap = heap;
        this.mirror = mirror;
        hold = hostLock.forAll();
        launchedBefore = heap.inFlight().launchedOn(mirror.index());
        clockBefore = mirror.tick();
    }

    /// To be called before pages of a range are moved.
    public void expect(PageRange pages) {
        parts.add(new Part(new Invalidation(heap.space().addressesOf(pages), InvalidationKind.MIGRATE, -1)));
    }

    /// Makes room for so many pages more, so that noting them cannot fail.
    public void reserve(int more) {
        moved.reserve(more);
    }

    /// Notes a page that was moved, within a range that was expected; room was reserved for it.
    ///
    /// @param committed the word that its move left
    /// @param before    the word from before it was claimed
    public void add(long page, long committed, long before) {
        moved.add(page, committed, before);
    }

    /// Puts pages back that nobody has used or moved since. Never fails.
    void undo(HostSide hostSide) {
        if (moved.isEmpty()) {
            return;
        }
        int undone;
        try (HostLock.Hold _ = hold.share()) {
            announce();
            undone = hostSide.takeBack(this);
        } finally {
            endAnnouncement(); // a mirror that is never told the end waits for it for ever
        }
        heap.accounts().add(Counter.MIGRATE_UNDONE_PAGES, undone);
        heap.accounts().moved(Cause.UNDO, Direction.TO_HOST, undone, 0);
        if (undone > 0) {
            report(undone);
        }
        moved.clear(); // who undoes once more has nothing to announce
        parts.clear();
    }

    private void report(int undone) {
        try {
            MigrationEvent event = heap.timeline().migration();
            if (event != null) {
                event.of(Cause.UNDO, Direction.TO_HOST, "none");
                long first = IntStream.range(0, moved.size()).mapToLong(moved::page).min().orElseThrow();
                long last = IntStream.range(0, moved.size()).mapToLong(moved::page).max().orElseThrow();
                event.range(first, last + 1 - first, heap.space().addressOf(first));
                event.device(mirror.index(), mirror.deviceName());
                event.moved(undone, 0);
                heap.timeline().end(event);
            }
        } catch (OutOfMemoryError e) {
            heap.accounts().increment(Counter.TRACE_LOST);
        }
    }

    /// Tells mirrors of the program's own that pages are about to go back.
    private void announce() {
        for (int i = 0; i < parts.size(); i++) {
            Part part = parts.get(i);
            part.announced = heap.notifier().begin(part.invalidation);
        }
    }

    /// They are back.
    private void endAnnouncement() {
        for (int i = 0; i < parts.size(); i++) {
            Notifier.Token token = parts.get(i).announced;
            if (token != null) {
                token.close();
            }
            parts.get(i).announced = null;
        }
    }

    public DeviceMirror mirror() {
        return mirror;
    }

    /// The device's clock when this began: pages that arrive count as used at that time.
    public int clock() {
        return clockBefore;
    }

    /// Launches that the device had seen when this began.
    public long launchedBefore() {
        return launchedBefore;
    }

    public int size() {
        return moved.size();
    }

    public long page(int i) {
        return moved.page(i);
    }

    /// The word that its commit left.
    public long committed(int i) {
        return moved.word(i);
    }

    /// The word from before its claim.
    public long before(int i) {
        return moved.before(i);
    }
}
