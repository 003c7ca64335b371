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
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One move of pages of one region to a device, up to the end of its copies: what becomes of the claims then is for those who extend this. The steps are in [ToDevice].
///
/// Used by one thread, which has the device's lock.
abstract class PageMove implements AutoCloseable {

    /// What the moves of one heap share.
    ///
    /// @param steps where tests stop them
    record Parts(ManagedPages heap, HostSide hostSide, Steps steps) {}

    /// What a page becomes whose claim is given back.
    static final PageTable.Settlement RELEASED = (word, before) -> switch (PageWord.state(before)) {
        case EMPTY -> PageWord.isMarkedRead(before) ? PageWord.toEmptyMarkedRead(word) : PageWord.toEmpty(word);
        case SHARED -> PageWord.toShared(word, PageWord.sharers(before));
        default -> PageWord.toHost(word);
    };

    /// Pages that are forbidden once more, to save the call for another range: it costs far more.
    private static final int MOST_BETWEEN = 64;

    private final ManagedPages heap;
    private final PageTable table;
    private final HostSide hostSide;
    private final Steps steps;
    private final DeviceMirror mirror;
    private final int device;
    private final List<PageRange> ranges;
    private final PageRange pages; // from the first to the last
    private final ToDevice.Intent intent;
    private final ToDevice.Effort effort;
    private final Cause cause;
    private final MigrationReport report;
    private final int regionId;
    private final String what;
    private final @Nullable MigrationEvent event;
    private final Deque<Batch> underWay = new ArrayDeque<>();
    private List<PageRange> left = List.of();
    private final BitSet came = new BitSet(); // from other devices, by page: done, whatever becomes of them. Two moves would else take them from each other for ever
    private boolean blocked; // no page more is claimed

    /// @param parts  what all moves of a heap share
    /// @param ranges of one region, in order and apart from each other, at least one
    PageMove(Parts parts, DeviceMirror mirror, List<PageRange> ranges, ToDevice.Intent intent, ToDevice.Effort effort, Cause cause) {
        heap = parts.heap();
        table = heap.table();
        hostSide = parts.hostSide();
        steps = parts.steps();
        event = heap.timeline().migration();
        this.mirror = mirror;
        this.device = mirror.index();
        this.ranges = ranges;
        pages = new PageRange(ranges.getFirst().first(), ranges.getLast().end());
        this.intent = intent;
        this.effort = effort;
        this.cause = cause;
        report = new MigrationReport(pages);
        what = "migration to " + mirror;
        regionId = regionOf(heap, pages.first());
        if (event != null) {
            event.of(cause, Direction.TO_DEVICE, mirror.copies().name());
            event.range(pages.first(), pages.count(), heap.space().addressOf(pages.first()));
            event.device(device, mirror.deviceName());
        }
    }

    static int regionOf(ManagedPages heap, long page) {
        return heap.space().regionAt(heap.space().addressOf(page)).map(Region::id).orElse(0);
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

    /// The same with what is left.
    void goOn() {
        left = pass(left);
    }

    /// Brings pages that other devices have, from there to here.
    ///
    /// @return false if they have to go through the host
    boolean cross(PageRange wanted) {
        for (long page = wanted.first(); page < wanted.end(); page++) {
            mirror.setRegion(mirror.frameOf(page), 0);
        }
        HostSide.Crossed crossed = hostSide.cross(mirror, wanted, new HostSide.Crossing(intent.writes(), regionId, clock(), cause));
        if (crossed == null) {
            return false;
        }
        report.addBytesCopied(crossed.bytes());
        crossed.came().stream().forEach(i -> {
            report.set(wanted.first() + i, PageOutcome.MOVED);
            came.set((int) (wanted.first() + i - pages.first()));
        });
        return true;
    }

    /// Before a page can be used, so that a use is the later one.
    void arrive(long page) {
        mirror.setRegion(mirror.frameOf(page), regionId);
        mirror.arrived(page, clock());
    }

    ToDevice.Intent intent() {
        return intent;
    }

    MigrationReport report() {
        return report;
    }

    /// What others own or have claimed.
    List<PageRange> left() {
        return left;
    }

    /// Waits for the copies that are under way, and ends them.
    public void commit() {
        while (!underWay.isEmpty()) {
            underWay.getFirst().commit();
            underWay.removeFirst();
        }
    }

    /// Gives back what is claimed and has not ended.
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
        return Batches.joined(others, 0, page -> false); // also across batches
    }

    private boolean claimInOrder(Batch batch, long page) {
        if (came.get((int) (page - pages.first()))) {
            return true;
        }
        boolean done = !blocked && batch.claimOrFinish(page);
        blocked = !done && intent == ToDevice.Intent.OVERWRITE;
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
                if (effort == ToDevice.Effort.EVERY_PAGE || !PageWord.isReadable(word)) {
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
                    case DEVICE, PEERS -> {
                        if (intent == ToDevice.Intent.OVERWRITE) { // without a claim: the gate makes it
                            claims.add(page, word, word);
                            return true;
                        }
                        return false;
                    }
                    case TO_DEVICE, TO_HOST -> {
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
            List<PageRange> ranges = claims.ranges();
            for (PageRange range : ranges) {
                invalidations.begin(range, device);
                steps.at(Steps.Step.CLAIMED);
            }
            for (PageRange range : Batches.joined(claims.claimedRanges(), MOST_BETWEEN, this::isForbidden)) {
                hostSide.forbid(range, !intent.writes()); // nothing is copied before the host is kept out
            }
            for (PageRange range : ranges) {
                heap.inFlight().awaitUsesOn(device, range); // an older launch may still be reading the frames' last contents
                awaitUsersOfTheHostCopy(range);
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

        /// Whether the host may not touch a page in the way that is going to be forbidden. If it comes to be allowed just now, that costs a fault.
        private boolean isForbidden(long page) {
            long word = table.word(page);
            return PageWord.isAway(word) || (PageWord.state(word) == PageState.SHARED && !intent.writes());
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

        /// Launches of other devices from before the claim still use the host copy where it is, and may write what is going to be read.
        private void awaitUsersOfTheHostCopy(PageRange range) {
            for (DeviceMirror other : heap.mirrors()) {
                if (other != mirror && other.worksInPlace()) {
                    heap.inFlight().awaitUsesOn(other.index(), range);
                }
            }
        }

        /// Decides what the frame of a claimed page needs: the host's bytes, zeros, or nothing.
        private void plan(long page, long before) {
            if (PageWord.isSharedBy(before, device)) {
                return;
            }
            if (intent == ToDevice.Intent.OVERWRITE) {
                if (mirror.holdsForeignBytes(mirror.frameOf(page), regionId)) {
                    write(toZero, page); // the kernel may leave gaps, and they must not show another region's bytes
                }
            } else {
                write(PageWord.state(before) == PageState.EMPTY ? toZero : toCopy, page);
            }
        }

        /// Until that has ended nobody knows whose bytes are there.
        private void write(RunList what, long page) {
            mirror.setRegion(mirror.frameOf(page), 0);
            what.add(page);
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
                if (claims.isClaimed(i)) {
                    table.settle(claims.page(i), Transition.RELEASE, claims.word(i), claims.before(i), RELEASED);
                }
            }
            invalidations.end();
        }
    }
}
