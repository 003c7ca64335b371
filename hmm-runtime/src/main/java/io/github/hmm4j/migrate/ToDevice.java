package io.github.hmm4j.migrate;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.page.PageState;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.page.Transition;
import io.github.hmm4j.space.PageRange;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongUnaryOperator;

/// Moves pages to a device. Best effort, page by page.
///
/// One call, step by step; from the claim on, for a batch of pages (several batches are under way at a time):
/// 1. **plan**: pages that are there already are left alone;
/// 2. **claim**: `TO_DEVICE` by compare-and-set; from here any host touch that the intent forbids takes the page back, and the commit will notice;
/// 3. **forbid** the host to touch what was claimed (to write, under read intent);
/// 4. **copy** the host pages into their frames, or fill with zeros, or nothing at all if the old contents are dead or already there;
/// 5. **commit**: `SHARED` for read intent, `DEVICE` for write intent, if the claim still stands; otherwise the page is `RACED` and the copy was wasted.
///
/// Pages that a kernel is going to overwrite stay claimed, and the launch gate commits them ([Overwrites]).
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
        /// Take pages of other devices, too, and wait for claims to end; refuse what the protection forbids to the kernel.
        EVERY_PAGE
    }

    private final ManagedPages heap;
    private final PageTable table;
    private final HostSide hostSide;
    private final HostLock hostLock;
    private final PageMove.Parts parts;

    /// @param steps where tests stop a migration; [Steps#NONE] otherwise
    public ToDevice(ManagedPages heap, HostSide hostSide, HostLock hostLock, Steps steps) {
        this.heap = heap;
        this.table = heap.table();
        this.hostSide = hostSide;
        this.hostLock = hostLock;
        parts = new PageMove.Parts(heap, hostSide, steps);
    }

    /// Moves pages of one region. Meanwhile the device's lock is open: launches on what is there do not wait for this.
    ///
    /// @param intent reading or writing; for overwriting there is [#claimToOverwrite]
    /// @param undo   where committed pages are noted; if this throws, or what they moved for does not happen, the caller hands it to [#undo]
    /// @throws io.github.hmm4j.error.AccessViolationException if the protection forbids it
    /// @throws io.github.hmm4j.error.HmmException             if a copy failed
    public MigrationReport migrate(DeviceMirror mirror, PageRange pages, Intent intent, Effort effort, Cause cause, UndoLog undo) {
        try (Transfer transfer = begin(mirror, List.of(pages), intent, effort, cause, undo)) {
            return transfer.finish();
        }
    }

    /// Claims pages for a kernel that overwrites them, and sees to it that their frames show nobody else's bytes. The claims stand when this returns.
    ///
    /// Waits for pages that others have, or have claimed, without a claim of its own. Pages are claimed in their order, and none behind one that is not to be had: so of several who want the
    /// same pages one gets them all.
    ///
    /// @param ranges     apart from each other, each of one region
    /// @param overwrites empty; where the claims go. Nothing is claimed if this throws
    /// @return what became of them, region by region
    /// @throws io.github.hmm4j.error.AccessViolationException if the protection forbids it
    /// @throws io.github.hmm4j.error.HmmException             if a frame cannot be filled, or the device fails
    public List<MigrationReport> claimToOverwrite(DeviceMirror mirror, List<PageRange> ranges, Cause cause, Overwrites overwrites) {
        assert mirror.lock().isAlone();
        List<List<PageRange>> byRegion = byRegion(ranges);
        Backoff backoff = new Backoff();
        overwrites.begin();
        while (true) {
            prepare(mirror, ranges);
            List<MigrationReport> reports = new ArrayList<>(byRegion.size());
            boolean claimed = false;
            try {
                claimed = byRegion.stream().allMatch(some -> claim(mirror, some, cause, overwrites, reports));
            } finally {
                if (!claimed) {
                    overwrites.end();
                }
            }
            if (claimed) {
                return reports;
            }
            backoff.pause();
        }
    }

    /// What only other devices have stays there until the gate claims it, which waits for nobody: so whoever uses it is waited for before. Nothing is claimed yet.
    private void prepare(DeviceMirror mirror, List<PageRange> ranges) {
        mirror.lock().openFor(() -> ranges.forEach(range -> eachAtPeers(mirror, range, true, pages -> heap.inFlight().awaitConflicts(pages, false))));
    }

    /// In order of pages.
    private List<List<PageRange>> byRegion(List<PageRange> ranges) {
        List<List<PageRange>> byRegion = new ArrayList<>();
        int last = 0;
        for (PageRange range : ranges.stream().sorted(Comparator.comparingLong(PageRange::first)).toList()) {
            int region = PageMove.regionOf(heap, range.first());
            if (byRegion.isEmpty() || region != last) {
                byRegion.add(new ArrayList<>());
                last = region;
            }
            byRegion.getLast().add(range);
        }
        return byRegion;
    }

    /// @return false if somebody else has one of the pages, or has claimed it
    private boolean claim(DeviceMirror mirror, List<PageRange> ranges, Cause cause, Overwrites overwrites, List<MigrationReport> reports) {
        try (Claiming claiming = new Claiming(mirror, ranges, cause, overwrites)) {
            mirror.lock().openFor(() -> { // who finds these pages claimed leaves them alone
                claiming.begin();
                claiming.commit();
            });
            reports.add(claiming.report());
            return claiming.left().isEmpty();
        }
    }

    /// The parts of a range that only other devices have, and this one not as it needs them.
    private void eachAtPeers(DeviceMirror mirror, PageRange range, boolean writes, Consumer<PageRange> action) {
        long page = range.first();
        while (page < range.end()) {
            long end = page;
            while (end < range.end() && isAtPeers(mirror, table.word(end), writes)) {
                end++;
            }
            if (end > page) {
                action.accept(new PageRange(page, end));
            }
            page = Math.max(end, page + 1);
        }
    }

    private static boolean isAtPeers(DeviceMirror mirror, long word, boolean writes) {
        return PageWord.isAway(word) && !(writes ? PageWord.isOwnedBy(word, mirror.index()) : PageWord.isReadableOn(word, mirror.index()));
    }

    /// The same for ranges that lie apart, in order and at least one, with the copies under way when this returns: others may begin beside them. Whoever has begun some commits all of them before
    /// it finishes the first, and until then waits for no claim of others and for no lock but for the device's to be shut again, which those keep from it who share it, and wait for no claim.
    Transfer begin(DeviceMirror mirror, List<PageRange> ranges, Intent intent, Effort effort, Cause cause, UndoLog undo) {
        assert mirror.lock().isAlone();
        Moving move = new Moving(mirror, ranges, intent, effort, cause, undo);
        boolean begun = false;
        try {
            mirror.lock().openFor(move::begin);
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

    /// For what a launch or a migration is going to move; made before anything is.
    public UndoLog undoLog(DeviceMirror mirror) {
        return new UndoLog(heap, mirror, hostLock);
    }

    /// Gives back what a launch or a migration had moved before it failed. Never fails, and takes nothing from the Java heap.
    public void undo(UndoLog undo) {
        undo.undo(hostSide);
    }

    /// Commits as soon as copies have ended.
    private final class Moving extends PageMove implements Transfer {

        private final DeviceMirror mirror;
        private final Effort effort;
        private final UndoLog undo;
        private final LongUnaryOperator committed = this::committed;

        Moving(DeviceMirror mirror, List<PageRange> ranges, Intent intent, Effort effort, Cause cause, UndoLog undo) {
            super(parts, mirror, ranges, intent, effort, cause);
            this.mirror = mirror;
            this.effort = effort;
            this.undo = undo;
            ranges.forEach(undo::expect);
        }

        @Override
        public void commit() {
            mirror.lock().openFor(super::commit);
        }

        @Override
        public MigrationReport finish() {
            mirror.lock().openFor(this::moveAll);
            return report();
        }

        private void moveAll() {
            super.commit();
            Backoff backoff = new Backoff();
            while (!left().isEmpty() && effort == Effort.EVERY_PAGE) {
                left().forEach(range -> eachAtPeers(mirror, range, intent().writes(), this::takeFromPeers));
                backoff.pause(); // nothing is claimed here; claims of others come to their end
                goOn();
                super.commit();
            }
            for (PageRange range : left()) {
                for (long page = range.first(); page < range.end(); page++) {
                    report().set(page, PageOutcome.ELSEWHERE);
                }
            }
        }

        /// Straight from there; or by way of the host, from where the next pass takes them.
        private void takeFromPeers(PageRange pages) {
            if (!cross(pages)) {
                hostSide.fetch(pages, HostSide.Access.SHARE, Cause.PEER);
            }
        }

        @Override
        int clock() {
            return undo.clock();
        }

        @Override
        long end(Claims claims, Invalidations invalidations) {
            undo.reserve(claims.size()); // the last that can fail before the words say that the pages are there
            long stood = 0;
            for (int i = 0; i < claims.size(); i++) {
                stood += commit(claims.page(i), claims.word(i), claims.before(i)) ? 1 : 0;
            }
            invalidations.end();
            return stood;
        }

        private boolean commit(long page, long claim, long before) {
            arrive(page);
            Transition transition = intent().writes() ? Transition.COMMIT_DEVICE : Transition.COMMIT_SHARED;
            boolean stands = table.settle(page, transition, claim, committed);
            if (stands) {
                undo.add(page, committed(claim), before);
            }
            report().set(page, stands ? PageOutcome.MOVED : PageOutcome.RACED);
            return stands;
        }

        private long committed(long claim) {
            return intent().writes() ? PageWord.toDevice(claim, mirror.index()) : PageWord.toShared(claim, PageWord.sharers(claim) | 1 << mirror.index());
        }
    }

    /// Leaves its claims to the launch gate.
    private final class Claiming extends PageMove {

        private final Overwrites overwrites;

        Claiming(DeviceMirror mirror, List<PageRange> ranges, Cause cause, Overwrites overwrites) {
            super(parts, mirror, ranges, Intent.OVERWRITE, Effort.EVERY_PAGE, cause);
            this.overwrites = overwrites;
        }

        @Override
        int clock() {
            return overwrites.clock();
        }

        @Override
        long end(Claims claims, Invalidations invalidations) {
            for (int i = 0; i < claims.size(); i++) {
                arrive(claims.page(i));
                report().set(claims.page(i), PageOutcome.MOVED);
            }
            overwrites.add(claims, invalidations);
            return claims.size();
        }
    }
}
