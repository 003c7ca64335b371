package io.github.hmm4j.migrate;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.account.Direction;
import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.CopyRun;
import io.github.hmm4j.error.DeviceLostException;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.page.PageState;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.page.Transition;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.timeline.MigrationEvent;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Brings pages home, in Java: with checked access. Mandatory: it succeeds, or every page that could not come stays on its device and the error is typed.
///
/// One call, step by step, for a batch of pages (several batches are under way at a time, so that the claims of one hide behind the copies of others):
/// 1. **claim** each page that has to change with `TO_HOST`; a page that somebody else has claimed is left for the next pass;
/// 2. **wait** for the launches in flight that conflict: writers only if the page will be shared, all that use it if the host is going to write;
/// 3. **copy** what only a device has into the host pages;
/// 4. **settle** each claim as `SHARED` or `HOST`, pinned in the same step if a view asked for it.
///
/// Threads: any, many at once, also on the same pages.
public final class ToHost {

    /// What the caller wants to do with the pages.
    public enum Access {
        /// Read through a view: devices may keep their copy.
        READ_VIEW(false, true, false),
        /// Write through a view: the host's copy is the only one.
        WRITE_VIEW(true, true, false),
        /// Make the host copy valid as well, whatever the protection.
        SHARE(false, false, false),
        /// Make the host copy the only one, whatever the protection.
        BRING_HOME(true, false, false),
        /// Let kernels read the host's pages where they are: like the third, and what nobody has touched is the host's
        /// from now on, with memory.
        READ_IN_PLACE(false, false, true),
        /// Let kernels write there, too.
        WRITE_IN_PLACE(true, false, true);

        private final boolean exclusive;
        private final boolean pins;
        private final boolean inPlace;

        Access(boolean exclusive, boolean pins, boolean inPlace) {
            this.exclusive = exclusive;
            this.pins = pins;
            this.inPlace = inPlace;
        }

        /// Whether the host's copy becomes the only one.
        public boolean isExclusive() {
            return exclusive;
        }

        /// Whether the pages are pinned, for a view.
        public boolean pins() {
            return pins;
        }

        /// Whether kernels are to use the host's pages.
        public boolean isInPlace() {
            return inPlace;
        }

        /// Whether somebody is going to reach host memory by an address, so that there must be some.
        private boolean needsMemory() {
            return pins || inPlace;
        }
    }

    private static final PageTable.Settlement RESTORED = (word, before) -> PageWord.state(before) == PageState.DEVICE
            ? PageWord.toDevice(word, PageWord.device(before))
            : PageWord.toShared(word, PageWord.sharers(before));
    private static final PageTable.Settlement POISONED = (word, _) -> PageWord.toPoisoned(word);

    private final ManagedPages heap;
    private final PageTable table;
    private final HostLock hostLock;
    private final StuckCopies stuck;

    ToHost(ManagedPages heap, HostLock hostLock, StuckCopies stuck) {
        this.heap = heap;
        this.table = heap.table();
        this.hostLock = hostLock;
        this.stuck = stuck;
    }

    /// See [HostSide#fetch].
    MigrationReport fetch(PageRange pages, Access access, Cause cause) {
        Fetch fetch = new Fetch(pages, access, cause);
        try (HostLock.Hold _ = hostLock.shared()) {
            return fetch.run();
        } finally {
            fetch.report();
        }
    }

    /// The state of one call.
    private final class Fetch {

        private final PageRange pages;
        private final Access access;
        private final Cause cause;
        private final MigrationReport report;
        private final PageTable.Settlement landed = this::landed; // made before anything is claimed
        private final @Nullable MigrationEvent event = heap.timeline().migration();
        private int devices; // that were copied from: bit d is set for device d

        Fetch(PageRange pages, Access access, Cause cause) {
            this.pages = pages;
            this.access = access;
            this.cause = cause;
            report = new MigrationReport(pages);
        }

        void report() {
            if (event != null && event.hasMoved()) {
                event.of(cause, Direction.TO_HOST, devices == 0 ? "" : heap.mirror(31 - Integer.numberOfLeadingZeros(devices)).copies().name());
                event.range(pages.first(), pages.count(), heap.space().addressOf(pages.first()));
                if (Integer.bitCount(devices) == 1) {
                    DeviceMirror only = heap.mirror(Integer.numberOfTrailingZeros(devices));
                    event.device(only.index(), only.deviceName());
                }
                heap.timeline().end(event);
            }
        }

        private long landed(long word, long before) {
            int sharers = PageWord.sharers(before) | (PageWord.state(before) == PageState.DEVICE ? 1 << PageWord.device(before) : 0);
            long next = access.exclusive ? PageWord.toHost(word) : PageWord.toShared(word, sharers);
            return access.pins ? PageWord.pinned(next, access.exclusive) : next;
        }

        MigrationReport run() {
            try {
                Backoff backoff = new Backoff();
                if (access.needsMemory()) {
                    giveHostMemory();
                }
                List<PageRange> todo = pass(List.of(pages));
                while (!todo.isEmpty()) {
                    backoff.pause(); // nothing is claimed here
                    todo = pass(todo);
                }
                if (access.needsMemory()) {
                    noteHostMemory();
                }
                return report;
            } catch (RuntimeException | Error e) {
                unpinWhatWasDone();
                throw e;
            }
        }

        /// A view touches its pages by itself, and so do kernels in place. What is on a device gets memory when it
        /// comes, and what is only read as
        /// zeros stays free.
        private void giveHostMemory() {
            long page = pages.first();
            while (page < pages.end()) {
                long end = page;
                while (end < pages.end() && needsHostMemory(table.word(end))) {
                    end++;
                }
                heap.space().host().give(new PageRange(page, end));
                page = end + 1;
            }
        }

        /// The pins of a view keep what its pages have; and nobody frees or discards while the host lock is held.
        private void noteHostMemory() {
            for (long page = pages.first(); page < pages.end(); page++) {
                PageState state = table.state(page);
                if (state != PageState.EMPTY && state != PageState.POISONED && state != PageState.UNMAPPED) {
                    heap.space().host().noteBacked(new PageRange(page, page + 1));
                }
            }
        }

        private boolean needsHostMemory(long word) {
            return switch (PageWord.state(word)) {
                case POISONED, UNMAPPED -> false;
                case EMPTY -> access.exclusive || access.inPlace;
                case DEVICE -> heap.mirror(PageWord.device(word)).isCoherent();
                default -> true;
            };
        }

        /// Handles all pages it can and returns those that others have claimed.
        private List<PageRange> pass(List<PageRange> ranges) {
            List<PageRange> left = new ArrayList<>();
            Deque<Batch> underWay = new ArrayDeque<>();
            try {
                for (List<PageRange> some : Batches.of(ranges, heap.space().pageSize())) {
                    if (underWay.size() == Batches.UNDER_WAY) {
                        underWay.removeFirst().settle();
                    }
                    Batch batch = new Batch();
                    underWay.addLast(batch);
                    batch.start(some, left);
                }
                while (!underWay.isEmpty()) {
                    underWay.removeFirst().settle();
                }
                return left;
            } catch (RuntimeException | Error e) {
                while (!underWay.isEmpty()) {
                    settleQuietly(underWay.removeFirst());
                }
                throw e;
            }
        }

        /// For batches that are still being copied while another one fails: what they have copied is good. The one that failed has no claims any more.
        private void settleQuietly(Batch batch) {
            try {
                batch.settle();
            } catch (RuntimeException | OutOfMemoryError e) {
                return; // its pages are where they were, or where they were wanted, and one error is enough
            }
        }

        private void unpinWhatWasDone() {
            if (access.pins) {
                for (long page = pages.first(); page < pages.end(); page++) {
                    if (report.outcome(page) == PageOutcome.ALREADY || report.outcome(page) == PageOutcome.MOVED) {
                        table.unpin(page, access.exclusive);
                    }
                }
            }
        }

        /// A part of the range between its claims and their settlement.
        private final class Batch {

            private final Claims claims = new Claims();
            private final Claims inPlace = new Claims(); // on a coherent device, viewed where they are
            private final @Nullable RunList[] runsByDevice = new RunList[heap.mirrors().size()];
            private final @Nullable Completion[] copies = new Completion[runsByDevice.length];
            private final StuckCopies.Note[] notes = new StuckCopies.Note[runsByDevice.length];
            private final Invalidations invalidations = new Invalidations(heap);
            private int lostDevice = -1;

            /// Claims, waits and submits the copies; if that fails, every page is where it was.
            void start(List<PageRange> ranges, List<PageRange> left) {
                try {
                    for (PageRange range : ranges) {
                        Batches.eachPage(range, this::claimOrFinish, left);
                    }
                    waitAndCopy();
                } catch (RuntimeException | Error e) {
                    restore();
                    throw e;
                }
            }

            /// Returns false if somebody else has the page claimed.
            private boolean claimOrFinish(long page) {
                while (true) {
                    long word = table.word(page);
                    if (access.pins) {
                        PageErrors.requireAccess(heap, page, word, access.exclusive, "view");
                    }
                    switch (PageWord.state(word)) {
                        case TO_HOST -> {
                            return false;
                        }
                        case POISONED, UNMAPPED -> {
                            return done(page, PageOutcome.POISONED); // views were refused above; nothing to bring
                        }
                        case EMPTY -> {
                            if (finishEmpty(page, word)) {
                                return done(page, PageOutcome.ALREADY);
                            }
                        }
                        case HOST -> {
                            if (finishInPlace(page, word)) {
                                return done(page, PageOutcome.ALREADY);
                            }
                        }
                        case SHARED -> {
                            if (access.exclusive ? claimed(page, word, -1) : finishInPlace(page, word)) {
                                return access.exclusive || done(page, PageOutcome.ALREADY);
                            }
                        }
                        case TO_DEVICE -> {
                            if (interruptMigration(page, word)) {
                                return true;
                            }
                        }
                        case DEVICE -> {
                            if (takeFromDevice(page, word)) {
                                return true;
                            }
                        }
                        case PEERS -> throw new IllegalStateException("page " + page + " went from device to device, which only native code does");
                    }
                }
            }

            private boolean finishEmpty(long page, long word) {
                if (access.inPlace) {
                    return table.transition(page, Transition.FIRST_TOUCH, word, PageWord.toHost(word));
                }
                if (!access.pins) {
                    return true;
                }
                if (access.exclusive) {
                    long next = PageWord.pinned(PageWord.toHost(word), true);
                    return table.transition(page, Transition.FIRST_TOUCH, word, next);
                }
                return PageWord.isMarkedRead(word)
                        ? table.pin(page, word, false)
                        : table.transition(page, Transition.MARK_READ, word, PageWord.pinned(PageWord.toEmptyMarkedRead(word), false));
            }

            private boolean finishInPlace(long page, long word) {
                return !access.pins || table.pin(page, word, access.exclusive);
            }

            /// A touch of a page that is being moved away: a read beside a read claim leaves it alone, everything else takes the page back.
            private boolean interruptMigration(long page, long word) {
                if (!access.exclusive && !access.inPlace && !PageWord.hasWriteIntent(word)) {
                    return finishInPlace(page, word) && done(page, PageOutcome.ALREADY);
                }
                if (access.exclusive && PageWord.sharers(word) != 0) {
                    return claimed(page, word, -1);
                }
                long next = PageWord.toShared(word, PageWord.sharers(word));
                next = access.pins ? PageWord.pinned(next, access.exclusive) : next;
                return table.transition(page, Transition.ABORT, word, next) && done(page, PageOutcome.ALREADY);
            }

            private boolean takeFromDevice(long page, long word) {
                DeviceMirror mirror = heap.mirror(PageWord.device(word));
                if (!mirror.isCoherent()) {
                    return claimed(page, word, mirror.index());
                }
                if (!access.pins) {
                    return claimed(page, word, -1);
                }
                inPlace.reserve(1);
                if (!table.pin(page, word, access.exclusive)) {
                    return false;
                }
                inPlace.add(page, word, word);
                return done(page, PageOutcome.ALREADY);
            }

            private boolean claimed(long page, long word, int copyFrom) {
                claims.reserve(1);
                if (access.pins) {
                    PageWord.requireRoomForPin(word, access.exclusive); // nobody else pins what is claimed
                }
                long claim = PageWord.toClaimedForHost(word, access.exclusive);
                if (!table.transition(page, Transition.CLAIM_FOR_HOST, word, claim)) {
                    return false;
                }
                claims.add(page, claim, word);
                if (copyFrom >= 0) {
                    runsOf(copyFrom).add(page);
                }
                return true;
            }

            private RunList runsOf(int device) {
                RunList runs = runsByDevice[device];
                if (runs == null) {
                    runs = new RunList(heap, heap.mirror(device));
                    runsByDevice[device] = runs;
                }
                return runs;
            }

            private boolean done(long page, PageOutcome outcome) {
                report.set(page, outcome);
                return true;
            }

            private void waitAndCopy() {
                for (PageRange range : claims.ranges()) {
                    invalidations.begin(range, -1);
                    heap.inFlight().awaitConflicts(range, !access.exclusive);
                    heap.space().host().give(range);
                    heap.space().host().noteBacked(range);
                }
                for (PageRange range : inPlace.ranges()) {
                    heap.inFlight().awaitConflicts(range, !access.exclusive);
                }
                refuseDoomed();
                for (int device = 0; device < runsByDevice.length; device++) {
                    RunList collected = runsByDevice[device];
                    if (collected != null) {
                        List<CopyRun> runs = collected.finish();
                        notes[device] = new StuckCopies.Note(pages);
                        try {
                            copies[device] = heap.mirror(device).copies().toHost(runs);
                        } catch (DeviceLostException e) {
                            lostDevice = device;
                            throw e;
                        }
                        heap.accounts().add(Counter.COPY_RUNS, runs.size());
                    }
                }
            }

            /// A view does not open over what a kernel that was waited for should have written. Without a view such a page is copied for nothing, and poisoned.
            private void refuseDoomed() {
                for (int i = 0; access.pins && i < claims.size(); i++) {
                    if (isDoomed(claims.page(i), claims.before(i))) {
                        throw PageErrors.poisoned(heap, claims.page(i), "view");
                    }
                }
                for (int i = 0; i < inPlace.size(); i++) {
                    if (table.state(inPlace.page(i)) == PageState.POISONED) {
                        throw PageErrors.poisoned(heap, inPlace.page(i), "view");
                    }
                }
            }

            private boolean isDoomed(long page, long before) {
                return PageWord.isDoomed(table.word(page)) && PageWord.state(before) == PageState.DEVICE;
            }

            private void poison(long page, long claim, long before) {
                table.settle(page, Transition.POISON, claim, before, POISONED);
                heap.accounts().increment(Counter.POISONED_PAGES);
            }

            void settle() {
                try {
                    awaitCopies();
                } catch (RuntimeException | Error e) {
                    restore();
                    throw e;
                }
                for (int i = 0; i < claims.size(); i++) {
                    land(claims.page(i), claims.word(i), claims.before(i));
                }
                invalidations.end();
                count();
            }

            private void awaitCopies() {
                for (int device = 0; device < copies.length; device++) {
                    Completion copy = copies[device];
                    if (copy != null) {
                        try {
                            copy.await();
                        } catch (DeviceLostException e) {
                            lostDevice = device;
                            throw e;
                        }
                    }
                }
            }

            private void land(long page, long claim, long before) {
                if (isDoomed(page, before)) {
                    poison(page, claim, before);
                    report.set(page, PageOutcome.POISONED);
                    return;
                }
                Transition transition = access.exclusive ? Transition.LAND_HOST : Transition.LAND_SHARED;
                boolean settled = table.settle(page, transition, claim, before, landed);
                assert settled : "somebody broke the claim of page " + page;
                report.set(page, PageOutcome.MOVED);
            }

            private void count() {
                long copiedPages = 0;
                for (RunList runs : runsByDevice) {
                    copiedPages += runs == null ? 0 : runs.totalPages();
                }
                long bytes = heap.space().pageSize().bytesFor(copiedPages);
                report.addBytesCopied(bytes);
                heap.accounts().moved(cause, Direction.TO_HOST, claims.size(), bytes);
                if (event != null) {
                    event.moved(claims.size(), bytes);
                    for (int device = 0; device < copies.length; device++) {
                        Completion copy = copies[device];
                        if (copy != null) {
                            devices |= 1 << device;
                            event.copied(copy.deviceNanos());
                        }
                    }
                }
                heap.accounts().add(Counter.MIGRATE_TO_HOST_PAGES, copiedPages);
                if (access.pins) {
                    heap.accounts().add(Counter.VIEW_FETCHED_PAGES, copiedPages);
                }
                heap.accounts().add(Counter.WRITE_UPGRADES, claims.size() - copiedPages);
            }

            /// Puts every page back where it was, or poisons those that only a lost device had. Takes nothing from the Java heap.
            private void restore() {
                for (int device = 0; device < copies.length; device++) {
                    Completion copy = copies[device];
                    if (copy != null) {
                        Unwinding.await(copy);
                        stuck.keepIfStuck(notes[device], copy);
                    }
                }
                for (int i = 0; i < claims.size(); i++) {
                    restore(claims.page(i), claims.word(i), claims.before(i));
                }
                claims.clear();
                Arrays.fill(copies, null);
                Arrays.fill(runsByDevice, null);
                invalidations.end();
            }

            private void restore(long page, long claim, long before) {
                boolean lost = PageWord.state(before) == PageState.DEVICE && PageWord.device(before) == lostDevice;
                if (lost || isDoomed(page, before)) {
                    poison(page, claim, before);
                } else {
                    table.settle(page, Transition.RESTORE, claim, before, RESTORED);
                }
            }
        }
    }
}
