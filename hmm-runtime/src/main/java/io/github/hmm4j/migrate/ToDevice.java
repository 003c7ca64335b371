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
import java.util.Comparator;
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
        /// Bring pages of other devices home first and wait for claims to end; refuse what the protection forbids to the kernel.
        EVERY_PAGE
    }

    /// What a page becomes whose claim is given back.
    static final PageTable.Settlement RELEASED = (word, before) -> switch (PageWord.state(before)) {
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

    /// Moves pages of one region. Meanwhile the device's lock is open: launches on what is there do not wait for this.
    ///
    /// @param intent reading or writing; for overwriting there is [#claimToOverwrite]
    /// @param undo   where committed pages are noted; if this throws, or what they moved for does not happen, the caller hands it to [#undo]
    /// @throws io.github.hmm4j.error.AccessViolationException if the protection forbids it
    /// @throws io.github.hmm4j.error.HmmException             if a copy failed
    public MigrationReport migrate(DeviceMirror mirror, PageRange pages, Intent intent, Effort effort, Cause cause, UndoLog undo) {
        mirror.lock().open();
        try (Transfer transfer = begin(mirror, List.of(pages), intent, effort, cause, undo)) {
            return transfer.finish();
        } finally {
            mirror.lock().shut();
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
            ranges.forEach(range -> bringHomeFromPeers(mirror, range));
            backoff.pause();
        }
    }

    /// In order of pages.
    private List<List<PageRange>> byRegion(List<PageRange> ranges) {
        List<List<PageRange>> byRegion = new ArrayList<>();
        int last = 0;
        for (PageRange range : ranges.stream().sorted(Comparator.comparingLong(PageRange::first)).toList()) {
            int region = regionOf(range.first());
            if (byRegion.isEmpty() || region != last) {
                byRegion.add(new ArrayList<>());
                last = region;
            }
            byRegion.getLast().add(range);
        }
        return byRegion;
    }

    private int regionOf(long page) {
        return heap.space().regionAt(heap.space().addressOf(page)).map(Region::id).orElse(0);
    }

    /// @return false if somebody else has one of the pages, or has claimed it
    private boolean claim(DeviceMirror mirror, List<PageRange> ranges, Cause cause, Overwrites overwrites, List<MigrationReport> reports) {
        try (Claiming claiming = new Claiming(mirror, ranges, cause, overwrites)) {
            claiming.begin();
            claiming.commit();
            reports.add(claiming.report());
            return claiming.left().isEmpty();
        }
    }

    private void bringHomeFromPeers(DeviceMirror mirror, PageRange range) {
        long page = range.first();
        while (page < range.end()) {
            long end = page;
            while (end < range.end() && table.state(end) == PageState.DEVICE && !PageWord.isOwnedBy(table.word(end), mirror.index())) {
                end++;
            }
            if (end > page) {
                hostSide.fetch(new PageRange(page, end), ToHost.Access.SHARE, Cause.PEER);
            }
            page = Math.max(end, page + 1);
        }
    }

    /// The same for ranges that lie apart, in order and at least one, with the lock as it is and the copies under way when this returns: others may begin beside them. Whoever has begun some
    /// commits all of them before it finishes the first, and until then waits for no claim of others and for no lock.
    Transfer begin(DeviceMirror mirror, List<PageRange> ranges, Intent intent, Effort effort, Cause cause, UndoLog undo) {
        assert mirror.lock().isAlone();
        Move move = new Moving(mirror, ranges, intent, effort, cause, undo);
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
    private abstract class Move implements Transfer {

        private final DeviceMirror mirror;
        private final int device;
        private final List<PageRange> ranges;
        private final PageRange pages; // from the first to the last
        private final Intent intent;
        private final Effort effort;
        private final Cause cause;
        private final MigrationReport report;
        private final int regionId;
        private final String what;
        private final @Nullable MigrationEvent event = heap.timeline().migration();
        private final Deque<Batch> underWay = new ArrayDeque<>();
        private List<PageRange> left = List.of(); // what others own or have claimed
        private boolean blocked; // no page more is claimed

        Move(DeviceMirror mirror, List<PageRange> ranges, Intent intent, Effort effort, Cause cause) {
            this.mirror = mirror;
            this.device = mirror.index();
            this.ranges = ranges;
            pages = new PageRange(ranges.getFirst().first(), ranges.getLast().end());
            this.intent = intent;
            this.effort = effort;
            this.cause = cause;
            report = new MigrationReport(pages);
            what = "migration to " + mirror;
            regionId = regionOf(pages.first());
            if (event != null) {
                event.of(cause, Direction.TO_DEVICE, mirror.isCoherent() ? "in place" : mirror.copies().name());
                event.range(pages.first(), pages.count(), heap.space().addressOf(pages.first()));
                event.device(device, mirror.deviceName());
            }
        }

        /// When pages that arrive count as used, on the device's clock.
        abstract int clock();

        /// Copies of a batch have ended: what becomes of its claims. If this fails they are as they were.
        ///
        /// @return how many of them still stood
        abstract long end(Claims claims, Invalidations invalidations);

        /// Begins as much as can be under way at a time.
        void begin() {
            left = pass(plan());
        }

        /// Before a page can be used, so that a use is the later one.
        void arrive(long page) {
            if (!mirror.isCoherent()) {
                mirror.setRegion(mirror.frameOf(page), regionId);
                mirror.arrived(page, clock());
            }
        }

        Intent intent() {
            return intent;
        }

        int device() {
            return device;
        }

        MigrationReport report() {
            return report;
        }

        List<PageRange> left() {
            return left;
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
                left.forEach(range -> bringHomeFromPeers(mirror, range));
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
                    Batches.eachPage(range, page -> claimInOrder(batch, page), others);
                }
                batch.copy();
            }
            return others;
        }

        private boolean claimInOrder(Batch batch, long page) {
            boolean done = !blocked && batch.claimOrFinish(page);
            blocked = !done && intent == Intent.OVERWRITE;
            return done;
        }

        /// A part of the range between its claims and their commit.
        private final class Batch {

            private final Claims claims = new Claims();
            private final RunList toCopy = new RunList(heap, mirror);
            private final RunList toZero = new RunList(heap, mirror);
            private Completion[] copies = {};
            private int copyCount;
            private final Invalidations invalidations = new Invalidations(heap);

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
                long stood = end(claims, invalidations);
                count(stood);
            }

            private void count(long stood) {
                long bytes = toCopy.totalBytes();
                report.addBytesCopied(bytes);
                heap.accounts().moved(cause, Direction.TO_DEVICE, stood, bytes);
                if (event != null) {
                    event.moved(stood, bytes);
                    for (int i = 0; i < copyCount; i++) {
                        event.copied(copies[i].deviceNanos());
                    }
                }
                heap.accounts().add(Counter.MIGRATE_TO_DEVICE_PAGES, toCopy.totalPages());
                heap.accounts().add(Counter.MIGRATE_FILLED_PAGES, toZero.totalPages());
                heap.accounts().add(Counter.MIGRATE_UNCOPIED_PAGES, claims.size() - toCopy.totalPages() - toZero.totalPages());
                heap.accounts().add(Counter.MIGRATE_RACED_PAGES, claims.size() - stood);
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

    /// Commits as soon as copies have ended.
    private final class Moving extends Move {

        private final UndoLog undo;
        private final LongUnaryOperator committed = this::committed;

        Moving(DeviceMirror mirror, List<PageRange> ranges, Intent intent, Effort effort, Cause cause, UndoLog undo) {
            super(mirror, ranges, intent, effort, cause);
            this.undo = undo;
            ranges.forEach(undo::expect);
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
            return intent().writes() ? PageWord.toDevice(claim, device()) : PageWord.toShared(claim, PageWord.sharers(claim) | 1 << device());
        }
    }

    /// Leaves its claims to the launch gate.
    private final class Claiming extends Move {

        private final Overwrites overwrites;

        Claiming(DeviceMirror mirror, List<PageRange> ranges, Cause cause, Overwrites overwrites) {
            super(mirror, ranges, Intent.OVERWRITE, Effort.EVERY_PAGE, cause);
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
