package io.github.hmm4j.migrate;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.account.Direction;
import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.CopyRun;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.page.PageState;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.page.Transition;
import io.github.hmm4j.space.HostMemory;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.Region;
import io.github.hmm4j.timeline.MigrationEvent;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/// Moves pages to a device. Best effort, page by page.
///
/// One call, step by step; from the claim on, for a batch of pages (several batches are under way at a time):
/// 1. **plan**: pages that are there already are left alone;
/// 2. **claim**: `TO_DEVICE` by compare-and-set; from here any host touch that the intent forbids takes the page back, and the commit will notice;
/// 3. **forbid** the host to touch what was claimed (to write, under read intent);
/// 4. **copy** the host pages into their frames, or fill with zeros, or nothing at all if the old contents are dead or already there;
/// 5. **commit**: `SHARED` for read intent, `DEVICE` for write intent, if the claim still stands; otherwise the page is `RACED` and the copy was wasted.
///
/// The pages must have frames ([Placer]). Threads: the caller holds the device's lock.
public final class ToDevice {

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

    private static final PageTable.Settlement RELEASED = (word, before) -> switch (PageWord.state(before)) {
        case EMPTY -> PageWord.isMarkedRead(before) ? PageWord.toEmptyMarkedRead(word) : PageWord.toEmpty(word);
        case SHARED -> PageWord.toShared(word, PageWord.sharers(before));
        default -> PageWord.toHost(word);
    };

    private final ManagedPages heap;
    private final PageTable table;
    private final HostSide hostSide;
    private final HostLock hostLock;
    private final Steps steps;

    /// @param steps where tests stop a migration; [Steps#NONE] otherwise
    public ToDevice(ManagedPages heap, HostSide hostSide, HostLock hostLock, Steps steps) {
        this.heap = heap;
        this.table = heap.table();
        this.hostSide = hostSide;
        this.hostLock = hostLock;
        this.steps = steps;
    }

    /// Moves pages of one region. Meanwhile the device's lock is open: launches on what is there do not wait for this, unless the pages are to be overwritten.
    ///
    /// @param undo where committed pages are noted; if this throws, or what they moved for does not happen, the caller hands it to [#undo]. None of them has come to be overwritten, or those come
    ///             last: nobody else may see them before their kernel is enqueued
    /// @throws io.github.hmm4j.error.AccessViolationException if the protection forbids it
    /// @throws io.github.hmm4j.error.HmmException             if a copy failed
    public MigrationReport migrate(DeviceMirror mirror, PageRange pages, Intent intent, Effort effort, Cause cause, UndoLog undo) {
        if (intent == Intent.OVERWRITE) {
            return moveAll(mirror, pages, intent, effort, cause, undo);
        }
        mirror.lock().open();
        try {
            return moveAll(mirror, pages, intent, effort, cause, undo);
        } finally {
            mirror.lock().shut();
        }
    }

    private MigrationReport moveAll(DeviceMirror mirror, PageRange pages, Intent intent, Effort effort, Cause cause, UndoLog undo) {
        try (Transfer transfer = begin(mirror, List.of(pages), intent, effort, cause, undo)) {
            return transfer.finish();
        }
    }

    /// The same for ranges that lie apart, in order and at least one, with the lock as it is and the copies under way when this returns: others may begin beside them. Whoever has begun some
    /// commits all of them before it finishes the first, and until then waits for no claim of others and for no lock.
    Transfer begin(DeviceMirror mirror, List<PageRange> ranges, Intent intent, Effort effort, Cause cause, UndoLog undo) {
        assert mirror.lock().isAlone();
        Move move = new Move(mirror, ranges, intent, effort, cause, undo);
        boolean begun = false;
        try {
            move.begin();
            begun = true;
            return move;
        } finally {
            if (!begun) {
                move.close();
            }
        }
    }

    /// A migration that has begun.
    interface Transfer extends AutoCloseable {

        /// Waits for the copies; then nothing is claimed any more. May be called again.
        void commit();

        /// Moves what is left: what others had, or had claimed.
        MigrationReport finish();

        /// Gives back what is still claimed, if something has failed. Never fails.
        @Override
        void close();
    }

    /// Gives back what a launch or a migration had moved before it failed. Never fails, and takes nothing from the Java heap.
    public void undo(UndoLog undo) {
        undo.undo(hostLock, hostSide);
    }

    /// The state of one call.
    private final class Move implements Transfer {

        private final DeviceMirror mirror;
        private final int device;
        private final List<PageRange> ranges;
        private final PageRange pages; // from the first to the last
        private final Intent intent;
        private final Effort effort;
        private final Cause cause;
        private final UndoLog undo;
        private final MigrationReport report;
        private final int regionId;
        private final String what;
        private final @Nullable MigrationEvent event = heap.timeline().migration();
        private final Deque<Batch> underWay = new ArrayDeque<>();
        private List<PageRange> left = List.of(); // what others own or have claimed

        Move(DeviceMirror mirror, List<PageRange> ranges, Intent intent, Effort effort, Cause cause, UndoLog undo) {
            this.mirror = mirror;
            this.device = mirror.index();
            this.ranges = ranges;
            pages = new PageRange(ranges.getFirst().first(), ranges.getLast().end());
            this.intent = intent;
            this.effort = effort;
            this.cause = cause;
            this.undo = undo;
            ranges.forEach(undo::expect);
            report = new MigrationReport(pages);
            what = "migration to " + mirror;
            regionId = heap.space().regionAt(heap.space().addressOf(pages.first())).map(Region::id).orElse(0);
            if (event != null) {
                event.of(cause, Direction.TO_DEVICE, mirror.isCoherent() ? "in place" : mirror.copies().name());
                event.range(pages.first(), pages.count(), heap.space().addressOf(pages.first()));
                event.device(device, mirror.deviceName());
            }
        }

        /// Begins as much as can be under way at a time.
        void begin() {
            left = pass(plan());
        }

        @Override
        public void commit() {
            while (!underWay.isEmpty()) {
                underWay.getFirst().commit();
                underWay.removeFirst();
            }
        }

        @Override
        public MigrationReport finish() {
            commit();
            Backoff backoff = new Backoff();
            while (!left.isEmpty() && effort == Effort.EVERY_PAGE) {
                left.forEach(this::bringHomeFromPeers);
                backoff.pause(); // nothing is claimed here; claims of others come to their end
                left = pass(left);
                commit();
            }
            for (PageRange range : left) {
                for (long page = range.first(); page < range.end(); page++) {
                    report.set(page, PageOutcome.ELSEWHERE);
                }
            }
            return report;
        }

        @Override
        public void close() {
            while (!underWay.isEmpty()) {
                underWay.removeFirst().release();
            }
            if (event != null && event.hasMoved()) {
                heap.timeline().end(event);
            }
        }

        /// The pages that are not there yet. Whatever becomes of the others while these are moved is for the launch gate to see.
        private List<PageRange> plan() {
            List<PageRange> all = new ArrayList<>();
            for (PageRange wanted : ranges) {
                List<PageRange> missing = mirror.missing(wanted, intent.writes());
                long page = wanted.first();
                for (PageRange range : missing) {
                    report.set(page, range.first(), PageOutcome.ALREADY);
                    page = range.end();
                }
                report.set(page, wanted.end(), PageOutcome.ALREADY);
                all.addAll(missing);
            }
            return all;
        }

        private void bringHomeFromPeers(PageRange range) {
            long page = range.first();
            while (page < range.end()) {
                long end = page;
                while (end < range.end() && table.state(end) == PageState.DEVICE) {
                    end++;
                }
                if (end > page) {
                    hostSide.fetch(new PageRange(page, end), ToHost.Access.SHARE, Cause.PEER);
                }
                page = Math.max(end, page + 1);
            }
        }

        /// Handles all pages it can and returns those that others own or have claimed. The last batches are under way then.
        private List<PageRange> pass(List<PageRange> ranges) {
            List<PageRange> others = new ArrayList<>();
            for (List<PageRange> some : Batches.of(ranges, heap.space().pageSize())) {
                if (underWay.size() == Batches.UNDER_WAY) {
                    underWay.getFirst().commit();
                    underWay.removeFirst();
                }
                Batch batch = new Batch();
                underWay.addLast(batch);
                for (PageRange range : some) {
                    Batches.eachPage(range, batch::claimOrFinish, others);
                }
                batch.copy();
            }
            return others;
        }

        /// A part of the range between its claims and their commit.
        private final class Batch {

            private final Claims claims = new Claims();
            private final RunList toCopy = new RunList(heap, mirror);
            private final RunList toZero = new RunList(heap, mirror);
            private Completion[] copies = {};
            private int copyCount;
            private final Invalidations invalidations = new Invalidations(heap);
            private final LongUnaryOperator committed = this::committed;

            /// Returns false if the page is another device's, or somebody has it claimed.
            private boolean claimOrFinish(long page) {
                while (true) {
                    long word = table.word(page);
                    if (effort == Effort.EVERY_PAGE || !PageWord.isReadable(word)) {
                        PageErrors.requireAccess(heap, page, word, kernelWrites(), what);
                    }
                    boolean there = intent.writes() ? PageWord.isOwnedBy(word, device) : mirror.canRead(word);
                    if (there) {
                        return done(page, PageOutcome.ALREADY);
                    }
                    if (PageWord.isPinnedAgainst(word, intent.writes())) {
                        heap.accounts().increment(Counter.MIGRATE_PINNED_PAGES);
                        return done(page, PageOutcome.PINNED);
                    }
                    switch (PageWord.state(word)) {
                        case EMPTY, HOST, SHARED -> {
                            claims.reserve(1);
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

            /// A kernel may do what the protection allows; moving alone writes nothing, so read-only pages can be prefetched.
            private boolean kernelWrites() {
                return intent.writes() && (cause == Cause.LAUNCH || cause == Cause.DEVICE_FAULT);
            }

            private boolean done(long page, PageOutcome outcome) {
                report.set(page, outcome);
                return true;
            }

            void copy() {
                for (PageRange range : claims.ranges()) {
                    invalidations.begin(range, device);
                    steps.at(Steps.Step.CLAIMED);
                    hostSide.forbid(range, !intent.writes()); // nothing is copied before the host is kept out
                    heap.inFlight().awaitUsesOn(device, range); // an older launch may still be reading the frames' last contents
                    awaitUsersOfTheHostCopy(range);
                }
                if (mirror.isCoherent()) {
                    return; // the host page is the device's page
                }
                for (int i = 0; i < claims.size(); i++) {
                    plan(claims.page(i), claims.before(i));
                }
                List<CopyRun> runs = toCopy.finish();
                List<CopyRun> holes = toZero.finish();
                copies = new Completion[1 + holes.size()]; // before any begins: a copy that is under way must be known to whoever gives the claims back
                if (!runs.isEmpty()) {
                    giveHostMemory(); // a page may be the host's that nobody has touched
                    copies[copyCount] = mirror.copies().toDevice(runs);
                    copyCount++;
                    heap.accounts().add(Counter.COPY_RUNS, runs.size());
                }
                for (CopyRun hole : holes) {
                    copies[copyCount] = mirror.copies().zero(hole.memory(), hole.offsetBytes(), hole.lengthBytes());
                    copyCount++;
                }
            }

            /// To what is going to be read there: a page may be the host's that nobody has touched.
            private void giveHostMemory() {
                HostMemory host = heap.space().host();
                int claim = 0;
                for (PageRange range : toCopy.ranges()) {
                    if (host.give(range)) {
                        while (claims.page(claim) < range.first()) {
                            claim++; // both are in order of pages
                        }
                        int first = claim;
                        host.noteBacked(range, page -> stands(first + (int) (page - range.first())));
                    }
                }
            }

            private boolean stands(int claim) {
                return PageWord.isSameVersion(table.word(claims.page(claim)), claims.word(claim));
            }

            /// Launches of other devices from before the claim still use the host copy where it is: coherent ones read
            /// what is going to be written, those in place may write what is going to be read.
            private void awaitUsersOfTheHostCopy(PageRange range) {
                for (DeviceMirror other : heap.mirrors()) {
                    if (other != mirror && (other.worksInPlace() || (intent.writes() && other.isCoherent()))) {
                        heap.inFlight().awaitUsesOn(other.index(), range);
                    }
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
                for (int i = 0; i < copyCount; i++) {
                    copies[i].await();
                }
                steps.at(Steps.Step.COPIED);
                undo.reserve(claims.size()); // the last that can fail before the words say that the pages are there
                long committed = 0;
                for (int i = 0; i < claims.size(); i++) {
                    committed += commit(claims.page(i), claims.word(i), claims.before(i)) ? 1 : 0;
                }
                invalidations.end();
                count(committed);
            }

            private boolean commit(long page, long claim, long before) {
                if (!mirror.isCoherent()) {
                    mirror.setRegion(mirror.frameOf(page), regionId);
                    mirror.arrived(page, undo.clock()); // before it can be used, so that a use is the later one
                }
                Transition transition = intent.writes() ? Transition.COMMIT_DEVICE : Transition.COMMIT_SHARED;
                boolean stands = table.settle(page, transition, claim, committed);
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
                if (event != null) {
                    event.moved(committed, bytes);
                    for (int i = 0; i < copyCount; i++) {
                        event.copied(copies[i].deviceNanos());
                    }
                }
                heap.accounts().add(Counter.MIGRATE_TO_DEVICE_PAGES, toCopy.totalPages());
                heap.accounts().add(Counter.MIGRATE_FILLED_PAGES, toZero.totalPages());
                heap.accounts().add(Counter.MIGRATE_UNCOPIED_PAGES, claims.size() - toCopy.totalPages() - toZero.totalPages());
                heap.accounts().add(Counter.MIGRATE_RACED_PAGES, claims.size() - committed);
            }

            /// Gives every claim that still stands back as it was. Never fails, and takes nothing from the Java heap.
            void release() {
                for (int i = 0; i < copyCount; i++) {
                    Unwinding.await(copies[i]);
                }
                for (int i = 0; i < claims.size(); i++) {
                    table.settle(claims.page(i), Transition.RELEASE, claims.word(i), claims.before(i), RELEASED);
                }
                invalidations.end();
            }
        }
    }
}
