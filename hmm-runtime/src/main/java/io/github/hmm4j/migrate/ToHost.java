package io.github.hmm4j.migrate;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.account.Direction;
import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.CopyRun;
import io.github.hmm4j.error.DeviceLostException;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.InvalidationKind;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.Notifier;
import io.github.hmm4j.page.PageState;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.page.Transition;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.timeline.MigrationEvent;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.IntConsumer;
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
        READ_VIEW(false, true),
        /// Write through a view: the host's copy is the only one.
        WRITE_VIEW(true, true),
        /// Make the host copy valid as well, whatever the protection.
        SHARE(false, false),
        /// Make the host copy the only one, whatever the protection.
        BRING_HOME(true, false);

        private final boolean exclusive;
        private final boolean pins;

        Access(boolean exclusive, boolean pins) {
            this.exclusive = exclusive;
            this.pins = pins;
        }

        /// Whether the host's copy becomes the only one.
        public boolean isExclusive() {
            return exclusive;
        }

        /// Whether the pages are pinned, for a view.
        public boolean pins() {
            return pins;
        }
    }

    private final ManagedPages heap;
    private final PageTable table;
    private final HostLock hostLock;

    ToHost(ManagedPages heap, HostLock hostLock) {
        this.heap = heap;
        this.table = heap.table();
        this.hostLock = hostLock;
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
        private final @Nullable MigrationEvent event = heap.timeline().migration();
        private final SortedSet<Integer> devices = new TreeSet<>(); // that were copied from
        private String engine = "";

        Fetch(PageRange pages, Access access, Cause cause) {
            this.pages = pages;
            this.access = access;
            this.cause = cause;
            report = new MigrationReport(pages);
        }

        void report() {
            if (event != null && event.hasMoved()) {
                event.of(cause, Direction.TO_HOST, engine);
                event.range(pages.first(), pages.count(), heap.space().addressOf(pages.first()));
                if (devices.size() == 1) {
                    DeviceMirror only = heap.mirror(devices.first());
                    event.device(only.index(), only.deviceName());
                }
                heap.timeline().end(event);
            }
        }

        MigrationReport run() {
            try {
                Backoff backoff = new Backoff();
                List<PageRange> todo = pass(List.of(pages));
                while (!todo.isEmpty()) {
                    backoff.pause(); // nothing is claimed here
                    todo = pass(todo);
                }
                return report;
            } catch (RuntimeException | Error e) {
                unpinWhatWasDone();
                throw e;
            }
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
                    batch.start(some, left);
                    underWay.addLast(batch);
                }
                while (!underWay.isEmpty()) {
                    underWay.removeFirst().settle();
                }
                return left;
            } catch (RuntimeException | Error e) {
                underWay.forEach(this::settleQuietly);
                throw e;
            }
        }

        /// For batches that are still being copied while another one fails: what they have copied is good.
        private void settleQuietly(Batch batch) {
            try {
                batch.settle();
            } catch (RuntimeException e) {
                return; // its pages are where they were, and one error is enough
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
            private final Map<Integer, RunList> runsByDevice = new TreeMap<>();
            private final Map<Integer, Completion> copies = new TreeMap<>();
            private final List<Notifier.Token> invalidations = new ArrayList<>();
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
                    }
                }
            }

            private boolean finishEmpty(long page, long word) {
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
                if (!access.exclusive && !PageWord.hasWriteIntent(word)) {
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
                if (!table.pin(page, word, access.exclusive)) {
                    return false;
                }
                inPlace.add(page, word, word);
                return done(page, PageOutcome.ALREADY);
            }

            private boolean claimed(long page, long word, int copyFrom) {
                long claim = PageWord.toClaimedForHost(word, access.exclusive);
                if (!table.transition(page, Transition.CLAIM_FOR_HOST, word, claim)) {
                    return false;
                }
                claims.add(page, claim, word);
                if (copyFrom >= 0) {
                    runsByDevice.computeIfAbsent(copyFrom, d -> new RunList(heap, heap.mirror(d))).add(page);
                }
                return true;
            }

            private boolean done(long page, PageOutcome outcome) {
                report.set(page, outcome);
                return true;
            }

            private void waitAndCopy() {
                for (PageRange range : claims.ranges()) {
                    invalidations.add(heap.notifier().begin(heap.space().addressesOf(range), InvalidationKind.MIGRATE, -1));
                    heap.inFlight().awaitConflicts(range, !access.exclusive);
                }
                for (PageRange range : inPlace.ranges()) {
                    heap.inFlight().awaitConflicts(range, !access.exclusive);
                }
                refuseDoomed();
                for (Map.Entry<Integer, RunList> entry : runsByDevice.entrySet()) {
                    List<CopyRun> runs = entry.getValue().finish();
                    watchingForLoss(entry.getKey(), device -> copies.put(device, heap.mirror(device).copies().toHost(runs)));
                    heap.accounts().add(Counter.COPY_RUNS, runs.size());
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

            private void poison(long page, long claim) {
                table.settle(page, Transition.POISON, claim, PageWord::toPoisoned);
                heap.accounts().increment(Counter.POISONED_PAGES);
            }

            void settle() {
                try {
                    copies.forEach((device, copy) -> watchingForLoss(device, _ -> copy.await()));
                } catch (RuntimeException | Error e) {
                    restore();
                    throw e;
                }
                for (int i = 0; i < claims.size(); i++) {
                    land(claims.page(i), claims.word(i), claims.before(i));
                }
                endInvalidations();
                count();
            }

            private void watchingForLoss(int device, IntConsumer call) {
                try {
                    call.accept(device);
                } catch (DeviceLostException e) {
                    lostDevice = device;
                    throw e;
                }
            }

            private void endInvalidations() {
                invalidations.forEach(Notifier.Token::close);
                invalidations.clear();
            }

            private void land(long page, long claim, long before) {
                if (isDoomed(page, before)) {
                    poison(page, claim);
                    report.set(page, PageOutcome.POISONED);
                    return;
                }
                int sharers = PageWord.sharers(before)
                        | (PageWord.state(before) == PageState.DEVICE ? 1 << PageWord.device(before) : 0);
                Transition transition = access.exclusive ? Transition.LAND_HOST : Transition.LAND_SHARED;
                boolean settled = table.settle(page, transition, claim, word -> {
                    long next = access.exclusive ? PageWord.toHost(word) : PageWord.toShared(word, sharers);
                    return access.pins ? PageWord.pinned(next, access.exclusive) : next;
                });
                assert settled : "somebody broke the claim of page " + page;
                report.set(page, PageOutcome.MOVED);
            }

            private void count() {
                long copiedPages = 0;
                for (RunList runs : runsByDevice.values()) {
                    copiedPages += runs.totalPages();
                }
                long bytes = heap.space().pageSize().bytesFor(copiedPages);
                report.addBytesCopied(bytes);
                heap.accounts().moved(cause, Direction.TO_HOST, claims.size(), bytes);
                if (event != null) {
                    event.moved(claims.size(), bytes);
                    copies.forEach((device, copy) -> {
                        devices.add(device);
                        engine = heap.mirror(device).copies().name();
                        event.copied(copy.deviceNanos());
                    });
                }
                heap.accounts().add(Counter.MIGRATE_TO_HOST_PAGES, copiedPages);
                if (access.pins) {
                    heap.accounts().add(Counter.VIEW_FETCHED_PAGES, copiedPages);
                }
                heap.accounts().add(Counter.WRITE_UPGRADES, claims.size() - copiedPages);
            }

            /// Puts every page back where it was, or poisons those that only a lost device had.
            private void restore() {
                copies.values().forEach(ToHost::awaitQuietly);
                for (int i = 0; i < claims.size(); i++) {
                    restore(claims.page(i), claims.word(i), claims.before(i));
                }
                endInvalidations();
            }

            private void restore(long page, long claim, long before) {
                int owner = PageWord.device(before);
                if (PageWord.state(before) != PageState.DEVICE) {
                    table.settle(page, Transition.RESTORE, claim, word -> PageWord.toShared(word, PageWord.sharers(before)));
                } else if (owner != lostDevice && !isDoomed(page, before)) {
                    table.settle(page, Transition.RESTORE, claim, word -> PageWord.toDevice(word, owner));
                } else {
                    poison(page, claim);
                }
            }
        }
    }

    /// For a copy whose failure is already being reported.
    static void awaitQuietly(Completion copy) {
        try {
            copy.await();
        } catch (RuntimeException e) {
            return;
        }
    }
}
