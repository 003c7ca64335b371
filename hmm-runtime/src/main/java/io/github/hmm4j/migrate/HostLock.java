package io.github.hmm4j.migrate;

import io.github.hmm4j.space.PageRange;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The lock between those who bring pages home and those who must not be disturbed by that.
///
/// Shared: fetching, opening views, evicting, relocating: everything that makes a `TO_HOST` claim. Exclusive: freeing, protecting, moving and discarding regions, and the
/// last resort of a launch that lost its pages to the host several times in a row. So of pages that somebody has exclusively none is claimed for the host and none becomes so.
///
/// Both are of pages: who shares some, perhaps while a kernel runs that uses them, is in the way of those only who want the same ones. One thread at a time has pages exclusively, whichever they are, so changes of
/// regions come one after the other. Who waits for pages keeps others from sharing those, but not who shares any already.
///
/// A hold is an object that is made before, so a lock that is taken is held, also when the Java heap is full; where it must be had then, it is made ahead ([#forAll()]). An interrupt is kept for later.
public final class HostLock {

    private static final List<PageRange> ALL = List.of(new PageRange(0, Long.MAX_VALUE));

    private @Nullable Hold sharing; // a list, as the next one
    private @Nullable Hold waiting; // for pages of their own
    private @Nullable Hold exclusive;

    /// Pages, as one thread at a time has them: until it is closed, by the thread that has taken it.
    public final class Hold implements AutoCloseable {

        private final List<PageRange> pages;
        private @Nullable Thread thread;
        private @Nullable Hold next;

        private Hold(List<PageRange> pages) {
            this.pages = pages;
        }

        /// Takes the pages together with others. Takes nothing from the Java heap, and may be closed and shared again.
        public Hold share() {
            HostLock.this.share(this);
            return this;
        }

        private boolean isOf(Thread other) {
            return other.equals(thread);
        }

        private boolean overlaps(Hold other) {
            for (int i = 0; i < pages.size(); i++) {
                for (int j = 0; j < other.pages.size(); j++) {
                    if (pages.get(i).overlaps(other.pages.get(j))) {
                        return true;
                    }
                }
            }
            return false;
        }

        /// Whether another thread has some of the same pages.
        private boolean meets(Hold other) {
            return !Objects.equals(thread, other.thread) && overlaps(other);
        }

        @Override
        public void close() {
            synchronized (HostLock.this) {
                if (this.equals(exclusive)) {
                    exclusive = null;
                } else {
                    sharing = without(sharing, this);
                }
                HostLock.this.notifyAll();
            }
        }
    }

    /// Shares these pages.
    public Hold shared(PageRange pages) {
        return new Hold(List.of(pages)).share();
    }

    /// Shares all pages.
    public Hold shared() {
        return forAll().share();
    }

    /// All pages, which nobody has until they are [shared][Hold#share()].
    public Hold forAll() {
        return new Hold(ALL);
    }

    /// Takes these pages. May be held together with what is shared by the thread that has this one already, not the other way round.
    ///
    /// @throws IllegalStateException if this thread shares or has any, for which it could wait for ever
    public Hold exclusive(List<PageRange> pages) {
        return take(new Hold(List.copyOf(pages)));
    }

    /// Takes all pages.
    ///
    /// @throws IllegalStateException as above
    public Hold exclusive() {
        return take(forAll());
    }

    private synchronized void share(Hold hold) {
        Thread me = Thread.currentThread();
        hold.thread = me;
        boolean interrupted = false;
        while (mustWaitToShare(hold, me)) {
            try {
                wait();
            } catch (InterruptedException | OutOfMemoryError e) { // the other error: there was no memory for the first
                interrupted = true;
            }
        }
        hold.next = sharing;
        sharing = hold;
        end(interrupted);
    }

    private boolean mustWaitToShare(Hold hold, Thread me) {
        return !isHeldBy(exclusive, me) && (anyMeets(exclusive, hold) || (anyMeets(waiting, hold) && !isHeldBy(sharing, me)));
    }

    private synchronized Hold take(Hold hold) {
        Thread me = Thread.currentThread();
        hold.thread = me;
        if (isHeldBy(sharing, me) || isHeldBy(exclusive, me)) {
            throw new IllegalStateException("pages that are shared cannot be taken");
        }
        hold.next = waiting;
        waiting = hold;
        boolean interrupted = false;
        while (exclusive != null || anyMeets(sharing, hold)) {
            try {
                wait();
            } catch (InterruptedException | OutOfMemoryError e) { // the other error: there was no memory for the first
                interrupted = true;
            }
        }
        waiting = without(waiting, hold);
        exclusive = hold;
        end(interrupted);
        return hold;
    }

    private static void end(boolean interrupted) {
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static boolean anyMeets(@Nullable Hold list, Hold hold) {
        for (Hold other = list; other != null; other = other.next) {
            if (hold.meets(other)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isHeldBy(@Nullable Hold list, Thread thread) {
        for (Hold other = list; other != null; other = other.next) {
            if (other.isOf(thread)) {
                return true;
            }
        }
        return false;
    }

    private static @Nullable Hold without(@Nullable Hold list, Hold gone) {
        Hold before = null;
        for (Hold hold = list; hold != null; before = hold, hold = hold.next) {
            if (!hold.equals(gone)) {
                continue;
            }
            Hold rest = hold.next;
            hold.next = null;
            if (before == null) {
                return rest;
            }
            before.next = rest;
            return list;
        }
        throw new IllegalMonitorStateException("not held");
    }
}
