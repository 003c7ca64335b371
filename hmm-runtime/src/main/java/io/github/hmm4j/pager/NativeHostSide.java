package io.github.hmm4j.pager;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.account.Direction;
import io.github.hmm4j.error.SystemCallFailedException;
import io.github.hmm4j.migrate.HostLock;
import io.github.hmm4j.migrate.HostSide;
import io.github.hmm4j.migrate.InPlacePages;
import io.github.hmm4j.migrate.MigrationReport;
import io.github.hmm4j.migrate.UndoLog;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.InvalidationKind;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.Notifier;
import io.github.hmm4j.page.PageState;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.Protection;
import io.github.hmm4j.timeline.MigrationEvent;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/// The host side in native code: every claim is made, carried out and released in one native call.
///
/// What calls of the program move is announced to mirrors of the program's own; what a fault moves is not, since no Java code can run then.
public final class NativeHostSide implements HostSide {

    private static final int EXCLUSIVE = 1;
    private static final int PIN = 2;
    private static final int MAP = 4;
    private static final int UNDO_PAGES = 512;
    private static final int STAY = 64;
    private static final int IN_PLACE = 256;
    private static final int MASKED = 1024;
    private static final byte UNASKED = (byte) 255;
    private static final int PAGES_BETWEEN = 64; // for each that is asked for: a look at a byte costs little
    private static final int WOULD_MOVE = 5; // enum hmm_reason
    private static final int ETIMEDOUT = 110;
    private static final int ENOTSUP = 95;

    private final ManagedPages heap;
    private final PageTable table;
    private final HostLock hostLock;
    private final long pager;
    private final Gathering gathering;
    /// Three columns for [PagerCalls#undo]; lives as long as this.
    private final Object undoLock = new Object();
    private final MemorySegment undoing = Arena.ofAuto().allocate(JAVA_LONG, 3L * UNDO_PAGES);

    public NativeHostSide(ManagedPages heap, HostLock hostLock, NativePager pager) {
        this.heap = heap;
        this.table = heap.table();
        this.hostLock = hostLock;
        this.pager = pager.handle();
        gathering = new Gathering(heap, this.pager);
    }

    @Override
    public MigrationReport fetch(PageRange pages, HostSide.Access access, Cause cause) {
        MigrationReport quiet = takesFromDevices(pages, access) ? null : fetch(pages, access, cause, false);
        MigrationReport report = quiet != null ? quiet
                : Objects.requireNonNull(fetch(pages, access, cause, true), "announced");
        InPlacePages.awaitKernels(heap, this, pages, access, cause);
        return report;
    }

    /// Pages may come to a device between any look and the claims, which are native. So what was not announced is not taken from a device.
    ///
    /// @return null if something is to be announced first
    private @Nullable MigrationReport fetch(PageRange pages, HostSide.Access access, Cause cause, boolean announced) {
        boolean map = cause == Cause.PREFETCH || cause == Cause.PIN || access.isInPlace(); // what is fetched for the program's own pointers
        int flags = (access.isInPlace() ? IN_PLACE : 0) | (access.isExclusive() ? EXCLUSIVE : 0) | (access.pins() ? PIN : 0)
                | (map ? MAP : 0) | (announced ? 0 : STAY);
        MigrationEvent event = heap.timeline().migration();
        gathering.prepare();
        try (HostLock.Hold _ = hostLock.shared(pages); Notifier.Token _ = announced ? announce(pages) : null; Arena arena = Arena.ofConfined()) {
            MemorySegment outcomes = arena.allocate(Math.max(1, pages.count()));
            MemorySegment moved = arena.allocate(JAVA_LONG, PagerCalls.MOVED_WORDS);
            MemorySegment failure = arena.allocate(JAVA_LONG, PagerCalls.FAILURE_WORDS);
            MigrationReport report = new MigrationReport(pages); // before pages are pinned: nothing may fail once they are
            int result = PagerCalls.fetch(pager, pages.first(), pages.end(), flags, outcomes, moved, failure);
            tell(pages, access, cause, moved, event);
            if (result != 0 && failure.getAtIndex(JAVA_LONG, 0) == WOULD_MOVE) {
                return null;
            }
            if (result != 0) {
                String what = access.pins() ? "view" : "fetch";
                throw NativeFailure.of(heap, failure, access.isExclusive(), what, pages.end());
            }
            report.set(outcomes, heap.space().pageSize().bytesFor(moved.getAtIndex(JAVA_LONG, 1)));
            return report;
        }
    }

    /// In groups that a table of a byte for each page spans.
    @Override
    public void bringHome(List<PageRange> ranges, Cause cause) {
        for (int from = 0; from < ranges.size(); ) {
            long first = ranges.get(from).first();
            long count = ranges.get(from).count();
            int to = from + 1;
            for (; to < ranges.size() && ranges.get(to).end() - first <= PAGES_BETWEEN * (count + ranges.get(to).count()); to++) {
                count += ranges.get(to).count();
            }
            if (to == from + 1) {
                fetch(ranges.get(from), HostSide.Access.BRING_HOME, cause);
            } else {
                bringGroupHome(ranges.subList(from, to), cause);
            }
            from = to;
        }
    }

    private void bringGroupHome(List<PageRange> ranges, Cause cause) {
        PageRange span = new PageRange(ranges.getFirst().first(), ranges.getLast().end());
        MigrationEvent event = heap.timeline().migration();
        gathering.prepare();
        try (HostLock.Hold _ = hostLock.shared(span); Arena arena = Arena.ofConfined()) {
            List<Notifier.Token> tokens = new ArrayList<>(ranges.size());
            MemorySegment outcomes = arena.allocate(span.count()).fill(UNASKED);
            MemorySegment moved = arena.allocate(JAVA_LONG, PagerCalls.MOVED_WORDS);
            MemorySegment failure = arena.allocate(JAVA_LONG, PagerCalls.FAILURE_WORDS);
            try {
                for (PageRange range : ranges) {
                    tokens.add(announce(range));
                    outcomes.asSlice(range.first() - span.first(), range.count()).fill((byte) 0);
                }
                int result = PagerCalls.fetch(pager, span.first(), span.end(), EXCLUSIVE | MASKED, outcomes, moved, failure);
                tell(span, HostSide.Access.BRING_HOME, cause, moved, event);
                if (result != 0) {
                    throw NativeFailure.of(heap, failure, true, "fetch", span.end());
                }
            } finally {
                for (int i = 0; i < tokens.size(); i++) { // which takes no memory
                    tokens.get(i).close();
                }
            }
        }
    }

    /// What a fetch has moved, whatever has become of the rest.
    ///
    /// @param moved pages claimed, pages copied, bit d if something came from device d, and what came through kernels that gather
    private void tell(PageRange pages, HostSide.Access access, Cause cause, MemorySegment moved, @Nullable MigrationEvent event) {
        long claimed = moved.getAtIndex(JAVA_LONG, 0);
        long copied = moved.getAtIndex(JAVA_LONG, 1);
        long devices = moved.getAtIndex(JAVA_LONG, 2);
        count(access, cause, claimed, copied);
        gathering.came(devices, moved.getAtIndex(JAVA_LONG, 3));
        if (event == null || claimed == 0) {
            return;
        }
        event.of(cause, Direction.TO_HOST, "native");
        event.range(pages.first(), pages.count(), heap.space().addressOf(pages.first()));
        event.moved(claimed, heap.space().pageSize().bytesFor(copied));
        if (Long.bitCount(devices) == 1) {
            DeviceMirror only = heap.mirror(Long.numberOfTrailingZeros(devices));
            event.device(only.index(), only.deviceName());
        }
        heap.timeline().end(event);
    }

    private void count(HostSide.Access access, Cause cause, long claimed, long copied) {
        if (access.isInPlace()) { // most were here, and only got memory
            heap.accounts().moved(cause, Direction.TO_HOST, copied, heap.space().pageSize().bytesFor(copied));
            heap.accounts().add(Counter.MIGRATE_TO_HOST_PAGES, copied);
            return;
        }
        heap.accounts().moved(cause, Direction.TO_HOST, claimed, heap.space().pageSize().bytesFor(copied));
        heap.accounts().add(Counter.MIGRATE_TO_HOST_PAGES, copied);
        heap.accounts().add(Counter.WRITE_UPGRADES, claimed - copied);
        if (access.pins()) {
            heap.accounts().add(Counter.VIEW_FETCHED_PAGES, copied);
        }
    }

    /// Whether a fetch would, as things are.
    private boolean takesFromDevices(PageRange pages, HostSide.Access access) {
        for (long page = pages.first(); page < pages.end(); page++) {
            long word = table.word(page);
            if (PageWord.state(word) == PageState.DEVICE || (access.isExclusive() && PageWord.sharers(word) != 0)) {
                return true;
            }
        }
        return false;
    }

    private Notifier.Token announce(PageRange pages) {
        return heap.notifier().begin(heap.space().addressesOf(pages), InvalidationKind.MIGRATE, -1);
    }

    @Override
    public @Nullable Crossed cross(DeviceMirror mirror, PageRange pages, Crossing crossing) {
        assert mirror.lock().isAlone(); // native code writes whose bytes frames hold
        MigrationEvent event = heap.timeline().migration();
        try (HostLock.Hold _ = hostLock.shared(pages); Arena arena = Arena.ofConfined();
                Notifier.Token _ = heap.notifier().begin(heap.space().addressesOf(pages), InvalidationKind.MIGRATE, mirror.index())) {
            MemorySegment outcomes = arena.allocate(pages.count());
            MemorySegment moved = arena.allocate(JAVA_LONG, PagerCalls.MOVED_WORDS);
            MemorySegment failure = arena.allocate(JAVA_LONG, PagerCalls.FAILURE_WORDS);
            MemorySegment request = arena.allocateFrom(JAVA_LONG, mirror.index(), pages.first(), pages.end(), crossing.writes() ? 1 : 0, crossing.regionId(), crossing.clock(),
                    outcomes.address());
            int result = PagerCalls.cross(pager, request, moved, failure);
            Crossed crossed = crossed(outcomes, heap.space().pageSize().bytesFor(moved.getAtIndex(JAVA_LONG, 1)));
            count(mirror, pages, crossing, crossed, event);
            if (result == -ENOTSUP) {
                return null;
            }
            if (result != 0) {
                throw NativeFailure.of(heap, failure, crossing.writes(), "migration to " + mirror, pages.end());
            }
            return crossed;
        }
    }

    private static Crossed crossed(MemorySegment outcomes, long bytes) {
        BitSet came = new BitSet();
        for (int i = 0; i < outcomes.byteSize(); i++) {
            came.set(i, outcomes.get(JAVA_BYTE, i) != 0);
        }
        return new Crossed(came, bytes);
    }

    private void count(DeviceMirror mirror, PageRange pages, Crossing crossing, Crossed crossed, @Nullable MigrationEvent event) {
        int came = crossed.came().cardinality();
        heap.accounts().moved(crossing.cause(), Direction.TO_DEVICE, came, crossed.bytes());
        heap.accounts().add(Counter.MIGRATE_PEER_PAGES, crossed.bytes() >> heap.space().pageSize().shift());
        if (event != null && came > 0) {
            event.of(crossing.cause(), Direction.TO_DEVICE, "peer");
            event.range(pages.first(), pages.count(), heap.space().addressOf(pages.first()));
            event.device(mirror.index(), mirror.deviceName());
            event.moved(came, crossed.bytes());
            heap.timeline().end(event);
        }
    }

    @Override
    public void unpin(PageRange pages, boolean write) {
        for (long page = pages.first(); page < pages.end(); page++) {
            table.unpin(page, write);
        }
        if (!heap.mirrors().isEmpty() && heap.mirror(0).isFaulting()) { // all are, or none
            PagerCalls.wakeDevice(pager, pages.first(), pages.end());
        }
    }

    @Override
    public void forbid(PageRange pages, boolean keepReading) {
        check(PagerCalls.forbid(pager, pages.first(), pages.end(), keepReading), keepReading ? "write-protecting" : "madvise", pages);
    }

    @Override
    public void setAccess(PageRange pages, Protection protection) {
        check(PagerCalls.setAccess(pager, pages.first(), pages.end(), protection.ordinal()), "mprotect", pages);
    }

    @Override
    public void discard(PageRange pages) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment failure = arena.allocate(JAVA_LONG, PagerCalls.FAILURE_WORDS);
            if (PagerCalls.discard(pager, pages.first(), pages.end(), failure) != 0) {
                throw NativeFailure.of(heap, failure, true, "discard");
            }
        }
    }

    /// Kernels that use the pages are waited for before these are claimed, so that nobody waits for their end behind a claim. The device's lock is open meanwhile, and while the pages are copied, for launches that
    /// use others; one that reads them through the device table may come between the wait and the claim. Where such a one has taken too long the lock is shut: then none can.
    @Override
    public void relocate(DeviceMirror mirror, PageRange pages, int frame) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copied = arena.allocate(JAVA_LONG);
            MemorySegment failure = arena.allocate(JAVA_LONG, PagerCalls.FAILURE_WORDS);
            try {
                relocate(mirror, pages, frame, copied, failure);
            } finally {
                heap.accounts().add(Counter.RELOCATED_PAGES, copied.get(JAVA_LONG, 0));
            }
        }
    }

    private void relocate(DeviceMirror mirror, PageRange pages, int frame, MemorySegment copied, MemorySegment failure) {
        int[] had = new int[Math.toIntExact(pages.count())];
        Arrays.setAll(had, i -> mirror.frameOf(pages.first() + i));
        boolean disturbed = false;
        for (int moved = 0; moved < had.length; ) {
            PageRange left = new PageRange(pages.first() + moved, pages.end());
            mirror.relocating(left);
            if (!disturbed) {
                mirror.lock().open();
            }
            int n;
            try {
                heap.inFlight().awaitUsesOn(mirror.index(), left);
                n = PagerCalls.relocate(pager, mirror.index(), left.first(), left.end(), frame + moved, copied, failure);
            } finally {
                if (!disturbed) {
                    mirror.lock().shut();
                }
                mirror.relocating(null);
            }
            disturbed = n == -ETIMEDOUT;
            if (n >= 0) {
                free(mirror, had, moved, moved + n);
                moved += n;
            } else if (!disturbed) {
                throw NativeFailure.of(heap, failure, true, "relocation");
            }
        }
    }

    /// Frames that pages had which have others now.
    private static void free(DeviceMirror mirror, int[] had, int from, int to) {
        for (int i = from; i < to; ) {
            int run = 1;
            while (i + run < to && had[i + run] == had[i] + run) {
                run++;
            }
            mirror.pool().free(had[i], run);
            i += run;
        }
    }

    /// In parts that fit the room there is, which was made with this: it runs when the Java heap may be full.
    @Override
    public int takeBack(UndoLog moved) {
        long undone = 0;
        synchronized (undoLock) {
            for (int from = 0; from < moved.size(); from += UNDO_PAGES) {
                int count = Math.min(UNDO_PAGES, moved.size() - from);
                for (int i = 0; i < count; i++) {
                    undoing.setAtIndex(JAVA_LONG, i, moved.page(from + i));
                    undoing.setAtIndex(JAVA_LONG, UNDO_PAGES + i, moved.committed(from + i));
                    undoing.setAtIndex(JAVA_LONG, 2 * UNDO_PAGES + i, moved.before(from + i));
                }
                undone += PagerCalls.undo(pager, moved.mirror().index(), moved.launchedBefore(), moved.clock(), count,
                        undoing.address(), undoing.address() + UNDO_PAGES * Long.BYTES, undoing.address() + 2 * UNDO_PAGES * Long.BYTES);
            }
        }
        return Math.toIntExact(undone);
    }

    @Override
    public void setQuota(DeviceMirror mirror, PageRange pages, long most) {
        long least = PagerCalls.leastBudget(mirror.device().info().computeUnits());
        if (most < least) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "quotaBytes=%d is too little where kernels fault, at least %d: %d pages, for what one instruction of each thread of %s can touch",
                    heap.space().pageSize().bytesFor(most), heap.space().pageSize().bytesFor(least), least, mirror));
        }
        int result = PagerCalls.setQuota(pager, mirror.index(), pages.first(), pages.end(), most);
        if (result != 0) {
            throw NativeFailure.systemCall("setting a quota", -result, "pages=" + pages);
        }
    }

    @Override
    public boolean mayBeWritten(PageRange pages) {
        return PagerCalls.mayBeWritten(pager, pages.first(), pages.end());
    }

    @Override
    public void releaseHostMemory(DeviceMirror mirror, PageRange pages) {
        long released = PagerCalls.releaseHost(pager, mirror.index(), pages.first(), pages.end());
        if (released < 0) {
            throw new SystemCallFailedException("fallocate", (int) -released, "pages=" + pages);
        }
        heap.accounts().add(Counter.RELEASED_PAGES, released);
    }

    private static void check(int result, String call, PageRange pages) {
        if (result != 0) {
            throw NativeFailure.systemCall(call, -result, "pages=" + pages);
        }
    }
}
