package io.github.hmm4j.migrate;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.error.RunawayKernelException;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.DeviceTable;
import io.github.hmm4j.mirror.FaultRound;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.PageUse;
import io.github.hmm4j.mirror.Quota;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.PageSet;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/// Serves the faults of one launch that goes through the device's page table, round by round: order ([FaultOrder]), choose, evict, move as one batch.
///
/// What makes room leaves while that for which room was made already is being copied.
///
/// Used by one thread, which holds the table's turn.
public final class DeviceFaults {

    /// As much is placed and its copy begun before more room is made.
    private static final long SLICE_BYTES = 4L << 20;

    private final ManagedPages heap;
    private final Placer placer;
    private final Evictor evictor;
    private final ToDevice toDevice;
    private final HostLock hostLock;
    private final DeviceMirror mirror;
    private final DeviceTable table;
    private final String kernel;
    private final PageSet mayRead;
    private final PageSet mayWrite;
    private final List<PageUse> uses;
    private final List<PageRange> windows;
    private final long workItems;
    private final long ranks;
    private final FaultOrder order;
    private final DeadPages dead;
    private final AheadPages ahead;
    private final List<PageRange> toOverwrite = new ArrayList<>(); // what has its place there, and waits for a round that runs
    private final Overwrites overwritten;
    private long ends; // rounds in which some work-item has ended
    private long pagesMoved;
    private long bytesCopied;
    private boolean pinned;

    /// What a launch asks of its pages.
    ///
    /// @param kernel    for messages
    /// @param uses      what it may ask for
    /// @param dead      pages among these whose contents it overwrites, apart from each other
    /// @param windows   what it takes as pointers of its own
    /// @param workItems of the launch
    /// @param ranks     all that its work-items can have are smaller
    public record Launch(String kernel, List<PageUse> uses, List<PageRange> dead, List<PageRange> windows, long workItems, long ranks) {}

    public DeviceFaults(ManagedPages heap, Placer placer, Evictor evictor, ToDevice toDevice, HostLock hostLock, AheadSource source, DeviceMirror mirror, Launch launch) {
        this.heap = heap;
        this.placer = placer;
        this.evictor = evictor;
        this.toDevice = toDevice;
        this.hostLock = hostLock;
        this.mirror = mirror;
        table = Objects.requireNonNull(mirror.deviceTable());
        kernel = launch.kernel();
        uses = launch.uses();
        mayRead = PageSet.of(uses.stream().map(PageUse::pages).toList());
        mayWrite = PageSet.of(uses.stream().filter(PageUse::writes).map(PageUse::pages).toList());
        windows = Placer.merged(launch.windows()); // one segment may be several arguments
        workItems = launch.workItems();
        ranks = launch.ranks();
        order = new FaultOrder(heap, mirror, kernel, windows);
        dead = new DeadPages(launch.dead());
        overwritten = new Overwrites(heap, mirror);
        ahead = new AheadPages(heap, mirror, source, uses);
    }

    /// Work-items of a smaller rank may run in the next round.
    public long limit() {
        return order.limit();
    }

    public long pagesMoved() {
        return pagesMoved;
    }

    public long bytesCopied() {
        return bytesCopied;
    }

    /// Whether a page of the last round stayed where it is because of a view.
    public boolean isPinned() {
        return pinned;
    }

    /// To be called when such a view has been closed.
    public void viewsHaveClosed() {
        pinned = false;
    }

    /// Whether others have taken the pages away so often that it is no use to go on.
    public boolean isHopeless() {
        return order.isHopeless();
    }

    /// All pages have left the device, which has turned out to have less memory. The caller holds nothing.
    public void haveLeft() {
        order.startAgain();
    }

    /// Claims the pages that the kernel overwrites and that have got their places in [#serve]; until a round runs or [#giveUpOverwriting]. May be called again when they were given back. The caller
    /// holds the device's lock, and has since [#serve].
    public void claimToOverwrite() {
        if (!toOverwrite.isEmpty()) {
            toDevice.claimToOverwrite(mirror, toOverwrite, Cause.DEVICE_FAULT, overwritten).forEach(this::count);
        }
    }

    /// What has been claimed, for the gate.
    public Overwrites overwritten() {
        return overwritten;
    }

    /// A round has begun to run. Never fails. The caller holds the device's lock, and has since [#serve].
    public void hasRun() {
        dead.shown(table);
        toOverwrite.clear();
        overwritten.end();
    }

    /// None will, for now: what was to be overwritten is where it was, and missed again. Never fails. The caller holds the device's lock, and has since [#serve].
    public void giveUpOverwriting() {
        toOverwrite.clear();
        overwritten.end();
    }

    /// The launch is over. The caller holds the table's turn and the device's lock.
    public void end() {
        ahead.end();
    }

    /// To be called once for each round after which some work-item has to run again, before [#serve].
    ///
    /// A kernel can write anything into the table, and rounds must end all the same. In each that tells of an end one work-item has come to it, and not twice. Who ran and has not ended misses
    /// something, and somebody did where all might run, or where none has ended: the oldest of those that have not always runs. And nobody else misses anything.
    ///
    /// @throws RunawayKernelException if what the kernel has written down cannot be
    public void requirePossible(FaultRound round) {
        ends += round.progress() ? 1 : 0;
        if (ends > workItems) {
            throw new RunawayKernelException(kernel, String.format(Locale.ROOT, "in %d rounds some work-item has ended, and there are workItems=%d",
                    ends, workItems));
        }
        if (round.faults().isEmpty() && (!round.progress() || order.limit() == FaultOrder.EVERYBODY)) {
            throw new RunawayKernelException(kernel, "work-items have not ended, and miss nothing (HMM_END is the last statement of such a kernel, and every other return follows a missing page)");
        }
        long ran = Math.min(order.limit(), ranks);
        for (FaultRound.Fault fault : round.faults()) {
            if (fault.rank() >= ran) {
                throw new RunawayKernelException(kernel, String.format(Locale.ROOT, "work-item %d, counted group by group, has missed a page, and only those below %d can have run",
                        fault.rank(), ran));
            }
        }
    }

    /// Brings what was missing, as far as there is room. The caller holds the device's lock.
    ///
    /// @throws AccessViolationException       if the kernel may not use a page that it asked for
    /// @throws io.github.hmm4j.error.DeviceMemoryExhaustedException if one work-item, or one group that leaves together, asks for more than there is room for
    /// @throws io.github.hmm4j.error.QuotaExceededException if it asks for more of one region than may be there
    /// @throws io.github.hmm4j.error.HmmException if a copy failed
    public void serve(FaultRound round) {
        assert mirror.lock().isAlone();
        heap.accounts().increment(Counter.DEVICE_FAULT_ROUNDS);
        pinned = false;
        if (round.progress()) {
            order.startAgain();
        }
        if (round.faults().isEmpty()) {
            return; // those that might run have all ended
        }
        for (FaultRound.Fault fault : round.faults()) {
            requireAllowed(fault);
        }
        placer.makePagedChunk(mirror, windows, order.together(round.faults()).size()); // if another launch needed all of the device meanwhile
        List<Quota> quotas = mirror.quotas(uses.stream().map(PageUse::pages).toList());
        bring(order.choose(round.faults(), quotas), quotas);
    }

    private void requireAllowed(FaultRound.Fault fault) {
        boolean named = mayRead.contains(fault.page());
        if (fault.write() ? mayWrite.contains(fault.page()) : named) {
            return; // the page word has its say when the page moves
        }
        long address = heap.space().addressOf(fault.page());
        String said = named ? "names as read only" : "does not name";
        throw AccessViolationException.ofKernel(kernel, named ? AccessViolationException.Kind.PERMISSION : AccessViolationException.Kind.OUTSIDE, fault.write(), address,
                heap.space().regionAt(address).map(region -> "region=" + region.range() + ", which the launch " + said)
                        .orElse("in no region of the heap") + ", workItem=" + fault.rank() + " counted group by group");
    }

    /// Use by use, since ranges of different ones may be of different regions, and each by what is done to its pages.
    private void bring(Map<Long, Boolean> wanted, List<Quota> quotas) {
        int missing = (int) wanted.keySet().stream().filter(page -> !mirror.isPaged(page)).count();
        int free = mirror.pool().freePaged();
        NavigableMap<Long, Boolean> left = new TreeMap<>(wanted);
        List<Part> parts = new ArrayList<>();
        try (HostLock.Hold _ = hostLock.shared()) { // nobody evicts without it, or changes what the kernel may do; and it is not waited for while pages are claimed
            List<Share> shares = quotas.stream().map(quota -> new Share(quota, wanted.keySet())).toList();
            for (int i = 0; i < uses.size(); i++) {
                PageRange range = uses.get(i).pages();
                NavigableMap<Long, Boolean> here = left.subMap(range.first(), true, range.end(), false);
                NavigableMap<Long, Boolean> coming = new TreeMap<>(here);
                here.clear();
                Share share = shareOf(shares, range.first());
                int added = ahead.add(i, coming, share == null ? free - missing : (int) Math.min(free - missing, -share.over));
                free -= added;
                if (share != null) {
                    share.over += added;
                }
                parts.addAll(parts(coming));
            }
            parts.sort(Comparator.comparing(Part::intent)); // what needs no copy comes last: room for it is made while the rest is copied
            bring(parts, victims(missing - mirror.pool().freePaged(), shares));
        }
    }

    /// What a region has of its quota, and who of it goes for what comes.
    private final class Share {

        private final Quota quota;
        private long has;
        private long over; // what it will have beyond the quota, if nothing goes; less than none if there is room
        private Leavers leaving = new Leavers(new long[0]);

        Share(Quota quota, Set<Long> wanted) {
            this.quota = quota;
            has = mirror.held(quota.region());
            over = has - quota.pages() + wanted.stream().filter(page -> quota.region().contains(page) && mirror.frameOf(page) < 0).count();
        }

        /// Pages that the launch takes as pointers of its own stay.
        void choose() {
            if (over > 0) {
                leaving = new Leavers(evictor.victimsOf(mirror, quota, (int) over,
                        page -> order.held().contains(page) || windows.stream().anyMatch(window -> window.contains(page))));
            }
        }

        void makeRoom(List<PageRange> slice, boolean first) {
            int freed = leaving.evict((int) Math.max(0, has + lacking(slice) - quota.pages()), first);
            has -= freed;
            heap.accounts().add(Counter.EVICTED_QUOTA_PAGES, freed);
        }

        private long lacking(List<PageRange> slice) {
            return slice.stream().filter(range -> quota.region().contains(range.first())).mapToLong(range -> lackingFrames(range, page -> mirror.frameOf(page) >= 0)).sum();
        }

        /// As much of a range as there is room for: views or other launches may have kept who was to go.
        PageRange within(PageRange range) {
            long end = range.first();
            while (end < range.end() && (mirror.frameOf(end) >= 0 || has < quota.pages())) {
                has += mirror.frameOf(end) < 0 ? 1 : 0;
                end++;
            }
            return new PageRange(range.first(), end);
        }

        /// Fewer of its pages have got a frame than there was room for.
        void hasNotCome(PageRange pages) {
            has -= lackingFrames(pages, page -> mirror.frameOf(page) >= 0);
        }
    }

    private static @Nullable Share shareOf(List<Share> shares, long page) {
        for (Share share : shares) {
            if (share.quota.region().contains(page)) {
                return share;
            }
        }
        return null;
    }

    /// Pages of one use that are moved in the same way.
    private record Part(ToDevice.Intent intent, List<PageRange> ranges) {

        private void add(long page) {
            if (!ranges.isEmpty() && ranges.getLast().end() == page) {
                ranges.set(ranges.size() - 1, new PageRange(ranges.getLast().first(), page + 1));
            } else {
                ranges.add(new PageRange(page, page + 1));
            }
        }
    }

    private List<Part> parts(NavigableMap<Long, Boolean> coming) {
        Map<ToDevice.Intent, Part> parts = new EnumMap<>(ToDevice.Intent.class);
        coming.forEach((page, writes) -> {
            ToDevice.Intent intent = !writes ? ToDevice.Intent.READ : dead.contains(page) ? ToDevice.Intent.OVERWRITE : ToDevice.Intent.WRITE;
            parts.computeIfAbsent(intent, _ -> new Part(intent, new ArrayList<>())).add(page);
        });
        return List.copyOf(parts.values());
    }

    private Victims victims(int frames, List<Share> shares) {
        if (frames > 0 || shares.stream().anyMatch(share -> share.over > 0)) {
            uses.forEach(use -> table.harvest(use.pages(), ahead::used));
        }
        shares.forEach(Share::choose);
        int own = shares.stream().mapToInt(share -> share.leaving.countPaged()).sum();
        long[] others = frames <= own ? new long[0]
                : evictor.pagedVictims(mirror, frames - own, page -> order.held().contains(page) || shares.stream().anyMatch(share -> share.leaving.contains(page)));
        return new Victims(new Leavers(others), shares);
    }

    /// Who makes room, as far as it is not made yet.
    private record Victims(Leavers others, List<Share> shares) {

        /// @param first whether nothing is claimed yet
        void makeRoom(DeviceMirror mirror, List<PageRange> slice, boolean first) {
            shares.forEach(share -> share.makeRoom(slice, first));
            int missing = slice.stream().mapToInt(range -> lackingFrames(range, mirror::isPaged)).sum();
            others.evict(missing - mirror.pool().freePaged(), first);
            for (Share share : shares) {
                share.has -= share.leaving.evict(missing - mirror.pool().freePaged(), first); // its pages are to come in a later slice
            }
        }
    }

    /// Pages that go, in this order.
    private final class Leavers {

        private final long[] pages;
        private final long[] sorted;
        private int gone;

        Leavers(long[] pages) {
            this.pages = pages;
            sorted = pages.clone();
            Arrays.sort(sorted);
        }

        boolean contains(long page) {
            return Arrays.binarySearch(sorted, page) >= 0;
        }

        int countPaged() {
            return (int) Arrays.stream(pages).filter(mirror::isPaged).count();
        }

        /// Returns how many have gone, which may be fewer.
        ///
        /// @param first whether nothing is claimed yet
        int evict(int frames, boolean first) {
            int freed = 0;
            while (freed < frames && gone < pages.length) {
                long[] some = Arrays.copyOfRange(pages, gone, Math.min(pages.length, gone + frames - freed));
                gone += some.length;
                freed += first ? evictor.evict(mirror, some) : evictor.evictUnclaimed(mirror, some);
                ahead.left(some);
            }
            return freed;
        }
    }

    private void bring(List<Part> parts, Victims victims) {
        List<ToDevice.Transfer> begun = new ArrayList<>();
        UndoLog kept = toDevice.undoLog(mirror);
        toOverwrite.clear();
        try {
            for (Part part : parts) {
                for (List<PageRange> slice : Batches.of(part.ranges(), heap.space().pageSize().pagesFor(SLICE_BYTES))) {
                    victims.makeRoom(mirror, slice, begun.isEmpty());
                    List<PageRange> placed = place(slice, victims.shares());
                    if (part.intent() == ToDevice.Intent.OVERWRITE) {
                        toOverwrite.addAll(placed);
                    } else if (!placed.isEmpty()) {
                        begun.add(toDevice.begin(mirror, placed, part.intent(), ToDevice.Effort.EVERY_PAGE, Cause.DEVICE_FAULT, kept));
                    }
                }
            }
            begun.forEach(ToDevice.Transfer::commit);
            begun.forEach(transfer -> count(transfer.finish()));
        } finally {
            begun.forEach(ToDevice.Transfer::close);
        }
    }

    private static int lackingFrames(PageRange range, LongPredicate hasOne) {
        int lacking = 0;
        for (long page = range.first(); page < range.end(); page++) {
            lacking += hasOne.test(page) ? 0 : 1;
        }
        return lacking;
    }

    private List<PageRange> place(List<PageRange> slice, List<Share> shares) {
        List<PageRange> placed = new ArrayList<>(slice.size());
        for (PageRange range : slice) {
            Share share = shareOf(shares, range.first());
            PageRange within = share == null ? range : share.within(range);
            long end = placer.placePaged(mirror, within);
            if (share != null) {
                share.hasNotCome(new PageRange(end, within.end()));
            }
            if (end > range.first()) { // else nothing could be evicted: views or other launches hold it, and the next round asks again
                placed.add(new PageRange(range.first(), end));
            }
        }
        return placed;
    }

    private void count(MigrationReport report) {
        pagesMoved += report.count(PageOutcome.MOVED);
        bytesCopied += report.bytesCopied();
        pinned |= report.count(PageOutcome.PINNED) > 0;
    }
}
