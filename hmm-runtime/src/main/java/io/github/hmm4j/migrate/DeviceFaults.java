package io.github.hmm4j.migrate;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import io.github.hmm4j.error.RunawayKernelException;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.DeviceTable;
import io.github.hmm4j.mirror.FaultRound;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.PageUse;
import io.github.hmm4j.space.PageRange;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/// Serves the faults of one launch that goes through the device's page table, round by round: order, choose, evict, move as one batch.
///
/// Work-items are served by rank, so older ones come first; where work-groups leave together, read group for work-item. What does not fit waits, and who wanted it waits with it: [#limit()] says
/// who may run in the next round. Pages that came in for work-items that have not ended are held until any has ended. So a round in which none ends either adds to what is held, or lets
/// fewer run, and the oldest alone gets all that it asks for, page by page, up to the whole chunk. That bounds the rounds.
///
/// Used by one thread, which holds the table's turn.
public final class DeviceFaults {

    /// Every work-item may run.
    private static final long EVERYBODY = Long.MAX_VALUE;

    /// Rounds in which nothing but what was held is missing again, since the host or another device has taken it: then the launch gives up.
    private static final int PATIENCE = 1000;

    /// Why a page is to stay until some work-item ends.
    private static final class Hold {

        private final long rank; // of who asked for it
        private boolean writes;

        private Hold(long rank) {
            this.rank = rank;
        }
    }

    private final ManagedPages heap;
    private final Placer placer;
    private final Evictor evictor;
    private final ToDevice toDevice;
    private final DeviceMirror mirror;
    private final String kernel;
    private final List<PageUse> uses;
    private final List<PageRange> windows;
    private final long workItems;
    private final Map<Long, Hold> held = new HashMap<>(); // by page
    private long limit = EVERYBODY;
    private int idle; // rounds served since any work-item has ended
    private int stolen;
    private long ends; // rounds in which some work-item has ended
    private long pagesMoved;
    private long bytesCopied;
    private boolean pinned;

    /// @param uses    what the launch may ask for
    /// @param windows what it takes as pointers of its own
    public DeviceFaults(ManagedPages heap, Placer placer, Evictor evictor, ToDevice toDevice, DeviceMirror mirror, String kernel, List<PageUse> uses, List<PageRange> windows,
            long workItems) {
        this.heap = heap;
        this.placer = placer;
        this.evictor = evictor;
        this.toDevice = toDevice;
        this.mirror = mirror;
        this.kernel = kernel;
        this.uses = uses;
        this.windows = windows;
        this.workItems = workItems;
    }

    /// Work-items of a smaller rank may run in the next round.
    public long limit() {
        return limit;
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
        return stolen > PATIENCE;
    }

    /// Brings what was missing, as far as there is room. The caller holds the device's lock.
    ///
    /// @throws AccessViolationException       if the kernel may not use a page that it asked for
    /// @throws RunawayKernelException         if what it has written down cannot be
    /// @throws DeviceMemoryExhaustedException if one work-item, or one group that leaves together, asks for more than there is room for
    /// @throws io.github.hmm4j.error.HmmException if a copy failed
    public void serve(FaultRound round) {
        assert mirror.lock().isHeldByCurrentThread();
        heap.accounts().increment(Counter.DEVICE_FAULT_ROUNDS);
        pinned = false;
        requirePossible(round);
        if (round.progress()) {
            held.clear();
            stolen = 0;
            idle = 0;
            limit = EVERYBODY;
        }
        if (round.faults().isEmpty()) { // those that may run have all ended
            held.values().removeIf(hold -> hold.rank < limit);
            limit = EVERYBODY;
            return;
        }
        for (FaultRound.Fault fault : round.faults()) {
            requireAllowed(fault);
            heap.accounts().increment(fault.write() ? Counter.DEVICE_FAULTS_WRITE : Counter.DEVICE_FAULTS_READ);
        }
        placer.makePagedChunk(mirror, windows); // if somebody else needed all of the device meanwhile
        bring(choose(round.faults()));
        idle++;
    }

    /// A kernel can write anything into the table, and rounds must end all the same. In each that tells of an end one work-item has come to it, and not twice; and whoever may run and has not
    /// ended has missed something.
    private void requirePossible(FaultRound round) {
        ends += round.progress() ? 1 : 0;
        if (ends > workItems) {
            throw new RunawayKernelException(kernel, "in %d rounds some work-item has ended, and there are workItems=%d".formatted(ends, workItems));
        }
        if (round.faults().isEmpty() && limit == EVERYBODY) {
            throw new RunawayKernelException(kernel, "work-items have not ended, and miss nothing");
        }
    }

    /// Pages that are to come now, and whether to be written. What one work-item asks for together stays together.
    private Map<Long, Boolean> choose(List<FaultRound.Fault> noted) {
        List<FaultRound.Fault> faults = new ArrayList<>(noted);
        faults.sort(Comparator.comparingLong(FaultRound.Fault::rank));
        int room = mirror.pool().pagedFrames().count();
        long limitBefore = limit;
        boolean anyNew = false;
        Map<Long, Boolean> wanted = new HashMap<>();
        Iterator<Map.Entry<Long, Hold>> youngest = null;
        for (FaultRound.Fault fault : faults) {
            if (fault.rank() >= limit) {
                break; // it has to wait for older ones by now
            }
            Hold hold = held.get(fault.page());
            if (hold == null && held.size() >= room) {
                youngest = youngest == null ? youngestFirst() : youngest;
                if (!letGo(youngest, fault.rank())) {
                    if (idle > 0) { // else the first may end with what they get, and all others say meanwhile what they miss
                        limit = Math.min(limit, Math.max(fault.rank(), oldest(faults.getFirst().rank()) + 1));
                    }
                    break;
                }
            }
            if (hold == null) {
                hold = new Hold(fault.rank());
                held.put(fault.page(), hold);
                anyNew = true;
            }
            anyNew |= fault.write() && !hold.writes;
            hold.writes |= fault.write();
            wanted.put(fault.page(), hold.writes);
        }
        if (wanted.isEmpty() && limit == limitBefore && idle > 0) {
            throw new DeviceMemoryExhaustedException(mirror.toString(), heap.space().pageSize().bytesFor(room + 1L), heap.space().pageSize().bytesFor(room),
                    "work-item %d of kernel=%s, counted group by group, asks for more pages at a time than there is room for; the rest of budgetBytes=%d is kept for plain arguments"
                            .formatted(faults.getFirst().rank(), kernel, mirror.budgetBytes()));
        }
        stolen = anyNew || wanted.isEmpty() ? stolen : stolen + 1;
        for (Map.Entry<Long, Hold> entry : held.entrySet()) {
            if (!mirror.isPaged(entry.getKey()) || !mirror.canUse(heap.table().word(entry.getKey()), entry.getValue().writes)) {
                wanted.put(entry.getKey(), entry.getValue().writes); // somebody has taken it meanwhile, and whoever it is held for has not asked for it again
            }
        }
        return wanted;
    }

    private Iterator<Map.Entry<Long, Hold>> youngestFirst() {
        List<Map.Entry<Long, Hold>> entries = new ArrayList<>(held.entrySet());
        entries.sort(Comparator.comparingLong(entry -> -entry.getValue().rank));
        return entries.iterator();
    }

    /// Makes room for a page of `rank` by giving up one that came for a younger work-item, which has to wait then. Returns false if there is none.
    private boolean letGo(Iterator<Map.Entry<Long, Hold>> youngest, long rank) {
        if (!youngest.hasNext()) {
            return false;
        }
        Map.Entry<Long, Hold> victim = youngest.next();
        if (victim.getValue().rank <= rank) {
            return false;
        }
        held.remove(victim.getKey());
        limit = Math.min(limit, victim.getValue().rank);
        return true;
    }

    /// The oldest work-item that a page is held for, or that asks for one.
    private long oldest(long asking) {
        long oldest = asking;
        for (Hold hold : held.values()) {
            oldest = Math.min(oldest, hold.rank);
        }
        return oldest;
    }

    private void requireAllowed(FaultRound.Fault fault) {
        boolean named = false;
        for (PageUse use : uses) {
            if (use.pages().contains(fault.page())) {
                if (use.writes() || !fault.write()) {
                    return; // the page word has its say when the page moves
                }
                named = true;
            }
        }
        long address = heap.space().addressOf(fault.page());
        throw AccessViolationException.ofKernel(kernel, named ? AccessViolationException.Kind.PERMISSION : AccessViolationException.Kind.OUTSIDE, fault.write(), address,
                heap.space().regionAt(address).map(region -> "region=" + region.range()).orElse("no region")
                        + (named ? ", which the launch names as read only" : ", which the launch does not name") + ", workItem=" + fault.rank() + " counted group by group");
    }

    /// Use by use, since ranges of different ones may be of different regions, and each in two batches: to be read and to be written.
    private void bring(Map<Long, Boolean> wanted) {
        makeRoom(wanted.keySet());
        long[] pages = wanted.keySet().stream().mapToLong(Long::longValue).sorted().toArray();
        boolean[] brought = new boolean[pages.length];
        for (PageUse use : uses) {
            List<PageRange> toRead = new ArrayList<>();
            List<PageRange> toWrite = new ArrayList<>();
            for (int i = 0; i < pages.length; i++) {
                if (!brought[i] && use.pages().contains(pages[i])) {
                    brought[i] = true;
                    add(Objects.requireNonNull(wanted.get(pages[i])) ? toWrite : toRead, pages[i]);
                }
            }
            bring(toRead, ToDevice.Intent.READ);
            bring(toWrite, ToDevice.Intent.WRITE);
        }
    }

    private static void add(List<PageRange> ranges, long page) {
        if (!ranges.isEmpty() && ranges.getLast().end() == page) {
            ranges.set(ranges.size() - 1, new PageRange(ranges.getLast().first(), page + 1));
        } else {
            ranges.add(new PageRange(page, page + 1));
        }
    }

    private void makeRoom(Set<Long> wanted) {
        int missing = (int) wanted.stream().filter(page -> !mirror.isPaged(page)).count() - mirror.pool().freePaged();
        if (missing > 0) {
            DeviceTable table = Objects.requireNonNull(mirror.deviceTable());
            uses.forEach(use -> table.harvest(use.pages()));
            evictor.evictPaged(mirror, missing, held::containsKey);
        }
    }

    private void bring(List<PageRange> wanted, ToDevice.Intent intent) {
        List<PageRange> placed = new ArrayList<>(wanted.size());
        for (PageRange range : wanted) {
            long end = placer.placePaged(mirror, range);
            if (end > range.first()) { // else nothing could be evicted: views or other launches hold it, and the next round asks again
                placed.add(new PageRange(range.first(), end));
            }
        }
        if (placed.isEmpty()) {
            return;
        }
        MigrationReport report = toDevice.migrate(mirror, placed, intent, ToDevice.Effort.EVERY_PAGE, Cause.DEVICE_FAULT, new UndoLog(heap, mirror));
        pagesMoved += report.count(PageOutcome.MOVED);
        bytesCopied += report.bytesCopied();
        pinned |= report.count(PageOutcome.PINNED) > 0;
    }
}
