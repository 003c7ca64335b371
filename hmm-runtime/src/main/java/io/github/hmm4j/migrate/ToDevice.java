package io.github.hmm4j.migrate;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.account.Direction;
import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.CopyRun;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.InvalidationKind;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.Notifier;
import io.github.hmm4j.page.PageState;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.page.Transition;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.Region;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Moves pages to a device. Best effort, page by page.
///
/// One call, step by step, for a batch of pages (two batches are under way at a time):
/// 1. **claim**: `TO_DEVICE` by compare-and-set; from here any host touch that the intent forbids takes the page back, and the commit will notice;
/// 2. **copy** the host pages into their frames, or fill with zeros, or nothing at all if the old contents are dead or already there;
/// 3. **commit**: `SHARED` for read intent, `DEVICE` for write intent, if the claim still stands; otherwise the page is `RACED` and the copy was wasted.
///
/// The pages must have frames ([Placer]). Threads: the caller holds the device's lock.
public final class ToDevice {

    private static final long BATCH_BYTES = 16L << 20;

    /// What the device is going to do with the pages.
    public enum Intent {
        /// Read; the host copy stays valid and readable.
        READ(false),
        /// Read and write.
        WRITE(true),
        /// Write without looking: the old contents of these whole pages are dead and are not copied.
        OVERWRITE(true);

        private final boolean writes;

        Intent(boolean writes) {
            this.writes = writes;
        }

        public boolean writes() {
            return writes;
        }
    }

    /// How far to go for a page that is not simply on the host.
    public enum Effort {
        /// Take host pages only: what another device owns, or somebody has claimed, is left alone.
        HOST_PAGES,
        /// Bring pages of other devices home first and wait for claims to end; refuse what the protection forbids to the kernel.
        EVERY_PAGE
    }

    private final ManagedPages heap;
    private final PageTable table;
    private final ToHost toHost;
    private final HostLock hostLock;

    public ToDevice(ManagedPages heap, ToHost toHost, HostLock hostLock) {
        this.heap = heap;
        this.table = heap.table();
        this.toHost = toHost;
        this.hostLock = hostLock;
    }

    /// Moves pages of one region.
    ///
    /// @param undo where committed pages are noted; if this throws, or what they moved for does not happen, the caller hands it to [#undo]
    /// @throws io.github.hmm4j.error.AccessViolationException if the protection forbids it
    /// @throws io.github.hmm4j.error.HmmException             if a copy failed
    public MigrationReport migrate(DeviceMirror mirror, PageRange pages, Intent intent, Effort effort, Cause cause, UndoLog undo) {
        assert mirror.lock().isHeldByCurrentThread();
        return new Move(mirror, pages, intent, effort, cause, undo).run();
    }

    /// Gives back what a launch or a migration had moved before it failed.
    public void undo(UndoLog undo) {
        undo.undo(hostLock);
    }

    /// The state of one call.
    private final class Move {

        private final DeviceMirror mirror;
        private final int device;
        private final PageRange pages;
        private final Intent intent;
        private final Effort effort;
        private final Cause cause;
        private final UndoLog undo;
        private final MigrationReport report;
        private final int regionId;
        private final String what;
        private final int inPlaceElsewhere; // other devices that use host pages in place; nobody if this one does not

        Move(DeviceMirror mirror, PageRange pages, Intent intent, Effort effort, Cause cause, UndoLog undo) {
            this.mirror = mirror;
            this.device = mirror.index();
            this.pages = pages;
            this.intent = intent;
            this.effort = effort;
            this.cause = cause;
            this.undo = undo;
            report = new MigrationReport(pages);
            what = "migration to " + mirror;
            inPlaceElsewhere = mirror.isCoherent() ? heap.coherentDevices() & ~(1 << device) : 0;
            regionId = heap.space().regionAt(heap.space().addressOf(pages.first())).map(Region::id).orElse(0);
        }

        MigrationReport run() {
            Backoff backoff = new Backoff();
            List<PageRange> todo = pass(List.of(pages));
            while (!todo.isEmpty() && effort == Effort.EVERY_PAGE) {
                todo.forEach(this::bringHomeFromPeers);
                backoff.pause(); // nothing is claimed here; claims of others come to their end
                todo = pass(todo);
            }
            for (PageRange range : todo) {
                for (long page = range.first(); page < range.end(); page++) {
                    report.set(page, PageOutcome.ELSEWHERE);
                }
            }
            return report;
        }

        private void bringHomeFromPeers(PageRange range) {
            ToHost.Access access = isToLeavePeers() ? ToHost.Access.BRING_HOME : ToHost.Access.SHARE;
            long page = range.first();
            while (page < range.end()) {
                long end = page;
                while (end < range.end() && isOfPeers(table.word(end))) {
                    end++;
                }
                if (end > page) {
                    toHost.fetch(new PageRange(page, end), access, Cause.PEER);
                }
                page = Math.max(end, page + 1);
            }
        }

        private boolean isToLeavePeers() {
            return intent.writes() && inPlaceElsewhere != 0;
        }

        /// Whether another device must let go of a page first. A read copy of its own may stay; but where both devices use the host page itself, the one must have
        /// stopped reading before the other writes.
        private boolean isOfPeers(long word) {
            return PageWord.state(word) == PageState.DEVICE || isReadInPlaceElsewhere(word);
        }

        private boolean isReadInPlaceElsewhere(long word) {
            return isToLeavePeers() && PageWord.state(word) == PageState.SHARED && (PageWord.sharers(word) & inPlaceElsewhere) != 0;
        }

        /// Handles all pages it can and returns those that others own or have claimed.
        private List<PageRange> pass(List<PageRange> ranges) {
            long batchPages = Math.max(1, BATCH_BYTES / heap.space().pageSize().bytes());
            List<PageRange> left = new ArrayList<>();
            Batch previous = null;
            Batch current = null;
            try {
                for (PageRange range : ranges) {
                    for (long first = range.first(); first < range.end(); first += batchPages) {
                        current = new Batch();
                        current.claim(new PageRange(first, Math.min(first + batchPages, range.end())), left);
                        current.copy();
                        Batch done = previous;
                        previous = current;
                        current = null;
                        if (done != null) {
                            done.commit();
                        }
                    }
                }
                Batch last = previous;
                previous = null;
                if (last != null) {
                    last.commit();
                }
                return left;
            } catch (RuntimeException | Error e) {
                release(current);
                release(previous);
                throw e;
            }
        }

        private void release(@Nullable Batch batch) {
            if (batch != null) {
                batch.release();
            }
        }

        /// A part of the range between its claims and their commit.
        private final class Batch {

            private final Claims claims = new Claims();
            private final RunList toCopy = new RunList(heap, mirror);
            private final RunList toZero = new RunList(heap, mirror);
            private final List<Completion> copies = new ArrayList<>();
            private final List<Notifier.Token> invalidations = new ArrayList<>();

            void claim(PageRange range, List<PageRange> left) {
                long leftFirst = -1;
                for (long page = range.first(); page <= range.end(); page++) {
                    boolean mustWait = page < range.end() && !claimOrFinish(page);
                    if (mustWait && leftFirst < 0) {
                        leftFirst = page;
                    } else if (!mustWait && leftFirst >= 0) {
                        left.add(new PageRange(leftFirst, page));
                        leftFirst = -1;
                    }
                }
            }

            /// Returns false if the page is another device's, or somebody has it claimed.
            private boolean claimOrFinish(long page) {
                while (true) {
                    long word = table.word(page);
                    if (effort == Effort.EVERY_PAGE || !PageWord.isReadable(word)) {
                        PageErrors.requireAccess(heap, page, word, intent.writes(), what);
                    }
                    boolean there = intent.writes() ? PageWord.isOwnedBy(word, device) : PageWord.isReadableOn(word, device);
                    if (there) {
                        return done(page, PageOutcome.ALREADY);
                    }
                    if (PageWord.isPinnedAgainst(word, intent.writes())) {
                        heap.accounts().increment(Counter.MIGRATE_PINNED_PAGES);
                        return done(page, PageOutcome.PINNED);
                    }
                    switch (PageWord.state(word)) {
                        case EMPTY, HOST, SHARED -> {
                            if (isReadInPlaceElsewhere(word)) {
                                return false;
                            }
                            long claim = PageWord.toClaimedForDevice(word, device, intent.writes());
                            if (table.transition(page, Transition.CLAIM_FOR_DEVICE, word, claim)) {
                                claims.add(page, claim, word);
                                return true;
                            }
                        }
                        case POISONED, UNMAPPED -> {
                            return done(page, PageOutcome.POISONED);
                        }
                        case DEVICE, TO_DEVICE, TO_HOST -> {
                            return false;
                        }
                    }
                }
            }

            private boolean done(long page, PageOutcome outcome) {
                report.set(page, outcome);
                return true;
            }

            void copy() {
                for (PageRange range : claims.ranges()) {
                    invalidations.add(heap.notifier().begin(heap.space().addressesOf(range), InvalidationKind.MIGRATE, device));
                    heap.inFlight().awaitUsesOn(device, range); // an older launch may still be reading the frames' last contents
                }
                if (mirror.isCoherent()) {
                    return; // the host page is the device's page
                }
                for (int i = 0; i < claims.size(); i++) {
                    plan(claims.page(i), claims.before(i));
                }
                List<CopyRun> runs = toCopy.finish();
                if (!runs.isEmpty()) {
                    copies.add(mirror.copies().toDevice(runs));
                    heap.accounts().add(Counter.COPY_RUNS, runs.size());
                }
                for (CopyRun run : toZero.finish()) {
                    copies.add(mirror.copies().zero(run.memory(), run.offsetBytes(), run.lengthBytes()));
                }
            }

            /// Decides what the frame of a claimed page needs: the host's bytes, zeros, or nothing.
            private void plan(long page, long before) {
                if (PageWord.isSharedBy(before, device)) {
                    return;
                }
                if (intent == Intent.OVERWRITE) {
                    if (mirror.holdsForeignBytes(mirror.frameOf(page), regionId)) {
                        toZero.add(page); // the kernel may leave gaps, and they must not show another region's bytes
                    }
                } else if (PageWord.state(before) == PageState.EMPTY) {
                    toZero.add(page);
                } else {
                    toCopy.add(page);
                }
            }

            void commit() {
                try {
                    copies.forEach(Completion::await);
                } catch (RuntimeException | Error e) {
                    release();
                    throw e;
                }
                long committed = 0;
                for (int i = 0; i < claims.size(); i++) {
                    committed += commit(claims.page(i), claims.word(i), claims.before(i)) ? 1 : 0;
                }
                endInvalidations();
                count(committed);
            }

            private boolean commit(long page, long claim, long before) {
                if (!mirror.isCoherent()) {
                    mirror.setRegion(mirror.frameOf(page), regionId);
                    mirror.arrived(page, undo.clock()); // before it can be used, so that a use is the later one
                }
                Transition transition = intent.writes() ? Transition.COMMIT_DEVICE : Transition.COMMIT_SHARED;
                boolean stands = table.settle(page, transition, claim, this::committed);
                if (stands) {
                    undo.add(page, committed(claim), before);
                }
                report.set(page, stands ? PageOutcome.MOVED : PageOutcome.RACED);
                return stands;
            }

            private long committed(long claim) {
                return intent.writes()
                        ? PageWord.toDevice(claim, device)
                        : PageWord.toShared(claim, PageWord.sharers(claim) | 1 << device);
            }

            private void count(long committed) {
                long bytes = toCopy.totalBytes();
                report.addBytesCopied(bytes);
                heap.accounts().moved(cause, Direction.TO_DEVICE, committed, bytes);
                heap.accounts().add(Counter.MIGRATE_TO_DEVICE_PAGES, toCopy.totalPages());
                heap.accounts().add(Counter.MIGRATE_FILLED_PAGES, toZero.totalPages());
                heap.accounts().add(Counter.MIGRATE_UNCOPIED_PAGES, claims.size() - toCopy.totalPages() - toZero.totalPages());
                heap.accounts().add(Counter.MIGRATE_RACED_PAGES, claims.size() - committed);
            }

            private void endInvalidations() {
                invalidations.forEach(Notifier.Token::close);
                invalidations.clear();
            }

            /// Gives every claim that still stands back as it was.
            void release() {
                copies.forEach(ToHost::awaitQuietly);
                for (int i = 0; i < claims.size(); i++) {
                    long before = claims.before(i);
                    table.settle(claims.page(i), Transition.RELEASE, claims.word(i), word -> switch (PageWord.state(before)) {
                        case EMPTY -> PageWord.isMarkedRead(before) ? PageWord.toEmptyMarkedRead(word) : PageWord.toEmpty(word);
                        case SHARED -> PageWord.toShared(word, PageWord.sharers(before));
                        default -> PageWord.toHost(word);
                    });
                }
                endInvalidations();
            }
        }
    }
}
