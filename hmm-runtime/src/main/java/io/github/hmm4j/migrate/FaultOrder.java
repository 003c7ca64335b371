package io.github.hmm4j.migrate;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.QuotaExceededException;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.FaultRound;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.Quota;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.PageSize;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Which pages come next to a launch that goes through the device's page table, and who may run until then.
///
/// Work-items are served by rank, so older ones come first; where work-groups leave together, read group for work-item. What does not fit waits, and who wanted it waits with it: [#limit()] says
/// who may run in the next round. Pages that came in for work-items that have not ended are held until any has ended. So a round in which none ends either adds to what is held, or gives up a page of a younger
/// one for it, or lets fewer run, and the oldest alone gets all that it asks for, page by page, up to the whole chunk. That bounds the rounds, whatever a kernel says: each rank is one that there is, and ran ([DeviceFaults#requirePossible]). A region that may take only a part of the chunk ([Quota]) is as full
/// with that as the chunk is with all: what is given up for a page of it is a page of it.
///
/// Used by one thread, which holds the device's lock.
final class FaultOrder {

    /// Every work-item may run.
    static final long EVERYBODY = Long.MAX_VALUE;

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
    private final DeviceMirror mirror;
    private final String kernel;
    private final List<PageRange> windows;
    private final Map<Long, Hold> held = new HashMap<>(); // by page
    private final List<Room> rooms = new ArrayList<>(); // of one choice, all of the chunk last
    private long limit = EVERYBODY;
    private int idle; // rounds served since any work-item has ended
    private int stolen;

    /// @param windows what the launch takes as pointers of its own, apart from each other
    FaultOrder(ManagedPages heap, DeviceMirror mirror, String kernel, List<PageRange> windows) {
        this.heap = heap;
        this.mirror = mirror;
        this.kernel = kernel;
        this.windows = windows;
    }

    /// Work-items of a smaller rank may run in the next round.
    long limit() {
        return limit;
    }

    /// The pages that must not go.
    Set<Long> held() {
        return held.keySet();
    }

    /// Whether others have taken the pages away so often that it is no use to go on.
    boolean isHopeless() {
        return stolen > PATIENCE;
    }

    /// Some work-item has come to its end, or all pages have left and there is less room for them: nothing is held any more.
    void startAgain() {
        held.clear();
        stolen = 0;
        idle = 0;
        limit = EVERYBODY;
    }

    /// The pages that the oldest work-item that misses some, or its group if that leaves together, is known to need at the same time: what is held for it, or for older ones, and what it misses.
    Set<Long> together(List<FaultRound.Fault> noted) {
        long oldest = noted.stream().mapToLong(FaultRound.Fault::rank).min().orElse(-1);
        Set<Long> pages = new HashSet<>();
        held.forEach((page, hold) -> {
            if (hold.rank <= oldest) {
                pages.add(page);
            }
        });
        noted.stream().filter(fault -> fault.rank() == oldest).forEach(fault -> pages.add(fault.page()));
        return pages;
    }

    /// Pages that are to come now, and whether to be written. What one work-item asks for together stays together.
    ///
    /// @param noted  by the round before
    /// @param quotas of the regions that it uses, as far as they have some
    /// @throws DeviceMemoryExhaustedException if one work-item, or one group that leaves together, asks for more than there is room for
    /// @throws QuotaExceededException         if it asks for more of one region than may be there
    Map<Long, Boolean> choose(List<FaultRound.Fault> noted, List<Quota> quotas) {
        List<FaultRound.Fault> faults = new ArrayList<>(noted);
        faults.sort(Comparator.comparingLong(FaultRound.Fault::rank));
        rooms.clear();
        quotas.forEach(quota -> rooms.add(new Room(quota, quota.less(quota.countIn(windows)).pages())));
        rooms.add(new Room(null, mirror.pool().pagedFrames().count()));
        for (Room room : rooms) {
            room.shrink(oldest(faults.getFirst().rank()), faults);
        }
        long limitBefore = limit;
        boolean anyNew = false;
        Map<Long, Boolean> wanted = new HashMap<>();
        Room full = rooms.getLast();
        for (FaultRound.Fault fault : faults) {
            if (fault.rank() >= limit) {
                break; // it has to wait for older ones by now
            }
            Hold hold = held.get(fault.page());
            Room lacking = hold == null ? lacking(fault) : null;
            if (lacking != null) {
                full = lacking;
                if (idle > 0) { // else the first may end with what they get, and all others say meanwhile what they miss
                    limit = Math.min(limit, Math.max(fault.rank(), oldest(faults.getFirst().rank()) + 1));
                }
                break;
            }
            if (hold == null) {
                hold = new Hold(fault.rank());
                held.put(fault.page(), hold);
                count(fault.page(), 1);
                tell(fault);
                anyNew = true;
            } else if (fault.write() && !hold.writes) {
                tell(fault);
                anyNew = true;
            }
            hold.writes |= fault.write();
            wanted.put(fault.page(), hold.writes);
        }
        if (wanted.isEmpty() && limit == limitBefore && idle > 0) {
            throw full.exhausted(faults.getFirst().rank(), faults);
        }
        stolen = anyNew || wanted.isEmpty() ? stolen : stolen + 1;
        held.forEach((page, hold) -> {
            if (!isThere(page, hold.writes)) {
                wanted.put(page, hold.writes); // somebody has taken it meanwhile, and whoever it is held for has not asked for it again
            }
        });
        idle++;
        return wanted;
    }

    /// Makes room for one page more in the part of the chunk that its region may take and in the chunk; returns where there is none.
    private @Nullable Room lacking(FaultRound.Fault fault) {
        for (Room room : rooms) {
            if (room.holds(fault.page()) && !room.makeRoom(fault.rank())) {
                return room;
            }
        }
        return null;
    }

    private void count(long page, int more) {
        for (Room room : rooms) {
            room.taken += room.holds(page) ? more : 0;
        }
    }

    /// Once for each page that is to come: who has to wait for room misses it in every round.
    private void tell(FaultRound.Fault fault) {
        heap.accounts().increment(fault.write() ? Counter.DEVICE_FAULTS_WRITE : Counter.DEVICE_FAULTS_READ);
    }

    private boolean isThere(long page, boolean writes) {
        return mirror.isPaged(page) && mirror.canUse(heap.table().word(page), writes);
    }

    /// The oldest work-item that a page is held for, or that asks for one.
    private long oldest(long asking) {
        long oldest = asking;
        for (Hold hold : held.values()) {
            oldest = Math.min(oldest, hold.rank);
        }
        return oldest;
    }

    /// Where pages can be held: in all of the chunk, or those of one region in a part of it.
    private final class Room {

        private final @Nullable Quota quota;
        private final long pages;
        private long taken;
        private @Nullable Iterator<Map.Entry<Long, Hold>> youngest;

        Room(@Nullable Quota quota, long pages) {
            this.quota = quota;
            this.pages = pages;
            taken = held.keySet().stream().filter(this::holds).count();
        }

        boolean holds(long page) {
            return quota == null || quota.region().contains(page);
        }

        /// If it is full, gives up a page that came for a younger work-item than one of `rank`, which has to wait then. Returns false if there is none.
        boolean makeRoom(long rank) {
            while (taken >= pages) {
                if (!giveUp(rank)) {
                    return false;
                }
            }
            return true;
        }

        /// It may have become smaller while a round ran: a quota can be lowered at any time.
        void shrink(long oldest, List<FaultRound.Fault> faults) {
            while (taken > pages) {
                if (!giveUp(oldest)) {
                    throw exhausted(oldest, faults);
                }
            }
        }

        private boolean giveUp(long rank) {
            youngest = youngest == null ? youngestFirst() : youngest;
            while (youngest.hasNext()) {
                Map.Entry<Long, Hold> victim = youngest.next();
                if (victim.getValue().rank <= rank) {
                    return false;
                }
                if (held.remove(victim.getKey(), victim.getValue())) { // else another room has given it up
                    count(victim.getKey(), -1);
                    limit = Math.min(limit, victim.getValue().rank);
                    return true;
                }
            }
            return false;
        }

        private Iterator<Map.Entry<Long, Hold>> youngestFirst() {
            List<Map.Entry<Long, Hold>> entries = new ArrayList<>();
            held.forEach((page, hold) -> {
                if (holds(page)) {
                    entries.add(Map.entry(page, hold));
                }
            });
            entries.sort(Comparator.comparingLong(entry -> -entry.getValue().rank));
            return entries.iterator();
        }

        HmmException exhausted(long rank, List<FaultRound.Fault> faults) {
            PageSize pageSize = heap.space().pageSize();
            long needed = together(faults).stream().filter(this::holds).count();
            String who = String.format(Locale.ROOT, "work-item %d of kernel=%s, counted group by group, asks for at least %d pages of %d bytes%s at a time",
                    rank, kernel, needed, pageSize.bytes(), quota == null ? "" : " of it");
            if (quota != null) {
                long plain = quota.countIn(windows);
                return QuotaExceededException.ofPagingKernel(mirror.toString(), heap.space().addressesOf(quota.region()).toString(), pageSize.bytesFor(needed + plain),
                        pageSize.bytesFor(quota.pages()), who + (plain == 0 ? "" : String.format(Locale.ROOT, ", and takes %d as plain arguments", plain)));
            }
            long budgetPages = Placer.budgetPages(needed, Placer.countOf(windows));
            return DeviceMemoryExhaustedException.ofPagingKernel(mirror.toString(), pageSize.bytesFor(budgetPages), mirror.budgetBytes(),
                    String.format(Locale.ROOT, "%s, and there is room for %d beside what is kept for plain arguments%s", who, pages, limit(needed, budgetPages)));
        }

        /// What there is to say of a budget that would do and cannot be had.
        private String limit(long needed, long budgetPages) {
            long mostBytes = mirror.device().info().maxAllocationBytes();
            if (heap.space().pageSize().bytesFor(needed) > mostBytes) {
                return "; more than largestAllocationBytes=" + mostBytes + " cannot be had";
            }
            return budgetPages <= mirror.memory().capacityFrames() ? "; the device gives less than the budget allows" : "";
        }
    }
}
