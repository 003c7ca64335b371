package io.github.hmm4j.migrate;

import io.github.hmm4j.device.FramePool;
import io.github.hmm4j.device.FrameRun;
import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.error.QuotaExceededException;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.Quota;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.PageSize;
import io.github.hmm4j.space.PlacementAdvice;
import io.github.hmm4j.space.Region;
import io.github.hmm4j.space.VaRange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Finds frames for pages, so that each range lies in one piece; makes room where there is none.
///
/// Under an aperture the frame is the page. In windows, a range gets a run of neighbouring frames: for its whole region if that is cheap, so that later slices of it
/// find their place ready, else for the range alone. A range most of which still has its place keeps it, and only what took the rest goes. Pages that lie elsewhere on the device
/// already are copied over within the device.
///
/// Threads: the caller holds the device's lock.
public final class Placer {

    private static final Logger LOG = LoggerFactory.getLogger(Placer.class);

    /// One part in so many of the budget is kept for windows when the paged chunk is made.
    private static final int WINDOW_SHARE = 4;

    private final ManagedPages heap;
    private final Evictor evictor;
    private final HostLock hostLock;
    private final HostSide hostSide;

    public Placer(ManagedPages heap, Evictor evictor, HostLock hostLock, HostSide hostSide) {
        this.heap = heap;
        this.evictor = evictor;
        this.hostLock = hostLock;
        this.hostSide = hostSide;
    }

    /// Gives every range frames in one piece, all of them at the same time.
    ///
    /// @param ranges each within one region; they may overlap
    /// @throws DeviceMemoryExhaustedException if they do not fit together, or no free run is long enough when everything else is evicted
    /// @throws QuotaExceededException if they are more of a region than may be there
    public void place(DeviceMirror mirror, List<PageRange> ranges) {
        assert mirror.lock().isAlone();
        if (mirror.isAperture()) {
            placeInAperture(mirror, ranges);
            return;
        }
        List<PageRange> merged = merged(ranges);
        merged.sort(Comparator.comparingLong(PageRange::count).reversed()); // the longest has the fewest places to choose from
        requireBudget(mirror, merged);
        keepWithinQuotas(mirror, merged);
        boolean placed = tryPlace(mirror, merged, true) || placeAlone(mirror, merged)
                || (mirror.pool().growAgain() && placeAlone(mirror, merged)); // the device has the last word
        if (!placed) {
            throw exhausted(mirror, merged, 0, "the device gives no memory that holds each of them in one piece;"
                    + " largestAllocationBytes=" + mirror.device().info().maxAllocationBytes());
        }
    }

    private void keepWithinQuotas(DeviceMirror mirror, List<PageRange> merged) {
        List<Quota> quotas = mirror.quotas(merged);
        for (Quota quota : quotas) {
            long needed = quota.countIn(merged);
            if (needed > quota.pages()) {
                throw new QuotaExceededException(mirror.toString(), heap.space().addressesOf(quota.region()).toString(), heap.space().pageSize().bytesFor(needed),
                        heap.space().pageSize().bytesFor(quota.pages()), "plain arguments are there as a whole");
            }
        }
        quotas.forEach(quota -> evictor.keepWithin(mirror, quota, merged));
    }

    /// Gives the region that holds a range a quota on a device, or takes it away; what it has beyond that goes at once. The caller holds nothing.
    ///
    /// @param pages at least one, or [PlacementAdvice#NO_QUOTA]
    /// @param check throws if the range is not what it was looked up for any more; run where it stays what it is
    /// @throws IllegalArgumentException if there is no such region, or less than what one instruction of each of its threads may touch where kernels fault
    public void setQuota(DeviceMirror mirror, VaRange range, long pages, Runnable check) {
        if (mirror.quotasBegin() && !mirror.sharesMemory()) {
            LOG.info("quotas mean nothing on {}: {}", mirror, mirror.isAperture() ? "its budget holds all of the heap, so that nothing makes room there" : "its kernels use host pages in place");
        }
        try (HostLock.Hold _ = hostLock.shared()) { // the region does not go meanwhile
            check.run();
            if (mirror.isFaulting()) {
                hostSide.setQuota(mirror, heap.space().pagesOf(heap.space().regionOf(range).range()), pages);
            }
            heap.space().advise(range, advice -> advice.withQuota(mirror.index(), pages));
        }
        mirror.lock().takeAlone();
        try {
            mirror.quotas(List.of(heap.space().pagesOf(range))).forEach(quota -> evictor.keepWithin(mirror, quota, List.of()));
        } finally {
            mirror.lock().leave();
        }
    }

    /// What must be kept is itself in the way: starts from an empty device, with nothing but what is needed.
    private boolean placeAlone(DeviceMirror mirror, List<PageRange> ranges) {
        evictor.evictAll(mirror);
        mirror.pool().releaseFreeChunks();
        return tryPlace(mirror, ranges, false);
    }

    /// Makes sure that there is a paged chunk: three quarters of the budget, or what the windows of the launch leave. Everything else leaves the device for that. One that an earlier launch has left
    /// smaller stays, unless it is too small for this one.
    ///
    /// @param windows  of the same launch, which will have to fit beside it
    /// @param together pages that are known to be needed there at the same time, at least one
    /// @throws DeviceMemoryExhaustedException if they leave nothing
    public void makePagedChunk(DeviceMirror mirror, List<PageRange> windows, int together) {
        assert mirror.lock().isAlone();
        FramePool pool = mirror.pool();
        List<PageRange> merged = merged(windows);
        int most = pool.mostFrames();
        long forWindows = Math.max(countOf(merged), most / WINDOW_SHARE);
        int frames = (int) Math.min(most - forWindows, pool.largestPaged());
        int there = pool.pagedFrames().count();
        if (countOf(merged) >= mirror.memory().capacityFrames() || (frames <= 0 && there == 0)) {
            throw exhausted(mirror, merged, together, "plain arguments leave no room for pages that the kernel finds through the page table");
        }
        if (there > 0 && there >= Math.min(frames, together)) {
            return;
        }
        evictor.evictAll(mirror);
        pool.releaseFreeChunks();
        allocatePaged(pool, frames);
        FrameRun chunk = pool.pagedFrames();
        for (int frame = chunk.first(); frame < chunk.first() + chunk.count(); frame++) {
            mirror.setRegion(frame, 0); // the memory was anybody's
        }
    }

    /// The least budget for a launch that needs some pages in the paged chunk at a time.
    ///
    /// @param windows pages of its plain arguments
    static long budgetPages(long paged, long windows) {
        return paged + Math.max(windows, (paged - 1) / (WINDOW_SHARE - 1));
    }

    static long countOf(List<PageRange> ranges) {
        return ranges.stream().mapToLong(PageRange::count).sum();
    }

    private static void allocatePaged(FramePool pool, int most) {
        int frames = most;
        while (true) {
            try {
                if (!pool.allocatePaged(frames)) {
                    throw new IllegalStateException("frames are used although everything was evicted");
                }
                return;
            } catch (OpenClFailedException e) {
                if (frames == 1) {
                    throw e;
                }
                frames /= 2; // the device has less than the budget allows
            }
        }
    }

    /// Gives pages frames of the paged chunk, wherever they are free; what has another frame moves there within the device. Stops when none is free.
    ///
    /// @return the first page without such a frame, or the end
    long placePaged(DeviceMirror mirror, PageRange pages) {
        long page = pages.first();
        try (HostLock.Hold _ = hostLock.shared()) {
            while (page < pages.end()) {
                long end = page;
                while (end < pages.end() && !mirror.isPaged(end)) {
                    end++;
                }
                if (end == page) {
                    page++;
                    continue;
                }
                FrameRun run = mirror.pool().takePaged((int) Math.min(Integer.MAX_VALUE, end - page));
                if (run == null) {
                    return page;
                }
                give(mirror, new PageRange(page, page + run.count()), run);
                page += run.count();
            }
            return page;
        }
    }

    /// Gives pages the frames of a run that is nobody's, in order; those that have others move, as many in one go as lie one behind the other. If this throws, what no page has got is free again.
    private void give(DeviceMirror mirror, PageRange pages, FrameRun run) {
        boolean given = false;
        try {
            for (long page = pages.first(); page < pages.end(); ) {
                int frame = run.first() + (int) (page - pages.first());
                long end = page;
                while (end < pages.end() && mirror.frameOf(end) >= 0) {
                    end++;
                }
                if (end > page) {
                    for (int i = 0; i < end - page; i++) {
                        mirror.setRegion(frame + i, 0); // until their contents have arrived nobody knows what is there
                    }
                    hostSide.relocate(mirror, new PageRange(page, end), frame);
                    page = end;
                } else {
                    mirror.assign(page++, frame);
                }
            }
            given = true;
        } finally {
            if (!given) {
                freeRest(mirror, run);
            }
        }
    }

    private static void freeRest(DeviceMirror mirror, FrameRun run) {
        int used = run.count();
        while (used > 0 && mirror.pageOf(run.first() + used - 1) < 0) {
            used--;
        }
        if (used < run.count()) {
            mirror.pool().free(run.first() + used, run.count() - used);
        }
    }

    private boolean tryPlace(DeviceMirror mirror, List<PageRange> ranges, boolean wholeRegions) {
        for (int i = 0; i < ranges.size(); i++) {
            PageRange range = ranges.get(i);
            if (!mirror.isPlaced(range) && !fillGaps(mirror, range, ranges.subList(0, i)) && !adopt(mirror, range, ranges, wholeRegions)) {
                return false;
            }
        }
        return true;
    }

    /// Where it does not reach as far as the ranges it gets larger. That is another piece of device memory, so what is in this one comes home first.
    private void placeInAperture(DeviceMirror mirror, List<PageRange> ranges) {
        long end = ranges.stream().mapToLong(PageRange::end).max().orElse(0);
        if (end > mirror.memory().frames()) {
            evictor.evictAll(mirror);
            mirror.aperture().release();
            mirror.growAperture(end);
        }
        for (PageRange range : ranges) {
            for (long page = range.first(); page < range.end(); page++) {
                if (mirror.frameOf(page) < 0) {
                    mirror.assign(page, Math.toIntExact(page));
                }
            }
        }
    }

    /// Ranges that share a page must share a window.
    static List<PageRange> merged(List<PageRange> ranges) {
        List<PageRange> sorted = new ArrayList<>(ranges);
        sorted.sort(Comparator.comparingLong(PageRange::first));
        List<PageRange> merged = new ArrayList<>();
        for (PageRange range : sorted) {
            PageRange last = merged.isEmpty() ? null : merged.getLast();
            if (last != null && last.overlaps(range)) {
                merged.set(merged.size() - 1, new PageRange(last.first(), Math.max(last.end(), range.end())));
            } else {
                merged.add(range);
            }
        }
        return merged;
    }

    private void requireBudget(DeviceMirror mirror, List<PageRange> ranges) {
        if (countOf(ranges) > mirror.memory().capacityFrames()) {
            throw exhausted(mirror, ranges, 0, "the ranges that must be there together are larger than the budget");
        }
    }

    /// Gives a range the frames back that it lacks in the place it has, if those are the smaller part of it: whoever has them now makes room. To find a place of its own for a range
    /// of which one page is missing could cost as many pages as the device holds.
    ///
    /// @param placed ranges that have their place already and must not lose it; those that come later find another
    private boolean fillGaps(DeviceMirror mirror, PageRange range, List<PageRange> placed) {
        int first = placeOf(mirror, range);
        if (first < 0) {
            return false;
        }
        long[] inTheWay = new long[Math.toIntExact(range.count())];
        int count = 0;
        for (long page = range.first(); page < range.end(); page++) {
            long occupant = mirror.pageOf(frameIn(range, page, first));
            if (occupant >= 0 && occupant != page) {
                if (placed.stream().anyMatch(other -> other.contains(occupant))) {
                    return false;
                }
                inTheWay[count++] = occupant;
            }
        }
        if (2L * count > range.count()) {
            return false;
        }
        evictor.evict(mirror, Arrays.copyOf(inTheWay, count));
        for (long page = range.first(); page < range.end(); page++) {
            int frame = frameIn(range, page, first);
            if (mirror.frameOf(page) < 0) {
                if (!mirror.pool().allocateAt(frame, 1)) {
                    return false; // what has its frame by now keeps it
                }
                mirror.assign(page, frame);
            }
        }
        return true;
    }

    /// First frame of the place in which every page of a range lies that has a frame; -1 if there is none.
    private static int placeOf(DeviceMirror mirror, PageRange range) {
        long first = -1;
        for (long page = range.first(); page < range.end(); page++) {
            int frame = mirror.frameOf(page);
            if (frame < 0) {
                continue;
            }
            long begins = frame - (page - range.first());
            if (begins < 0 || (first >= 0 && begins != first)) {
                return -1;
            }
            first = begins;
        }
        boolean exists = first >= 0 && first + range.count() <= mirror.memory().capacityFrames();
        return exists && mirror.memory().isContiguous((int) first, (int) (first + range.count() - 1)) ? (int) first : -1;
    }

    private static int frameIn(PageRange range, long page, int first) {
        return first + (int) (page - range.first());
    }

    /// Returns false if there is no run of free frames and nothing outside `keep` can be evicted.
    private boolean adopt(DeviceMirror mirror, PageRange range, List<PageRange> keep, boolean wholeRegions) {
        PageRange target = range;
        PageRange region = regionPages(range);
        HostLock.Hold hold = hostLock.forAll(); // before there are frames that only this method knows
        FrameRun run = null;
        if (wholeRegions && region.count() <= mirror.pool().freeFrames() && mirror.quotas(List.of(range)).isEmpty() && isUnplaced(mirror, region)) {
            run = runOrNull(mirror, Math.toIntExact(region.count()));
            target = run == null ? range : region;
        }
        if (run == null) {
            run = allocateEvicting(mirror, range, keep);
        }
        if (run == null) {
            return false;
        }
        try (HostLock.Hold _ = hold.share()) {
            give(mirror, target, run);
        }
        return true;
    }

    private PageRange regionPages(PageRange range) {
        Region region = heap.space().regionAt(heap.space().addressOf(range.first())).orElse(null);
        return region == null ? range : heap.space().pagesOf(region.range());
    }

    private static boolean isUnplaced(DeviceMirror mirror, PageRange pages) {
        for (long page = pages.first(); page < pages.end(); page++) {
            if (mirror.frameOf(page) >= 0) {
                return false;
            }
        }
        return true;
    }

    /// A device may refuse what the budget allows, because others use it too; then there is just no room.
    private static @Nullable FrameRun runOrNull(DeviceMirror mirror, int frames) {
        try {
            return mirror.pool().allocateRun(frames);
        } catch (OpenClFailedException e) {
            LOG.debug("{} refuses {} frames", mirror, frames, e);
            return null;
        }
    }

    private @Nullable FrameRun allocateEvicting(DeviceMirror mirror, PageRange range, List<PageRange> keep) {
        int frames = Math.toIntExact(range.count());
        FrameRun run = runOrNull(mirror, frames);
        while (run == null && evictor.evict(mirror, frames, keep) > 0) {
            mirror.pool().releaseFreeChunks();
            run = runOrNull(mirror, frames);
        }
        return run == null ? mirror.pool().allocateRun(frames) : run; // where the device refuses for good, its own reason is the one to tell
    }

    /// @param paged pages that are needed besides, in the paged chunk
    private DeviceMemoryExhaustedException exhausted(DeviceMirror mirror, List<PageRange> ranges, long paged, String why) {
        PageSize pageSize = heap.space().pageSize();
        StringBuilder parts = new StringBuilder(why).append("; needed together:");
        for (PageRange range : ranges) {
            parts.append(' ').append(heap.space().addressesOf(range)).append('=').append(pageSize.bytesFor(range.count())).append(" bytes");
        }
        long neededBytes = pageSize.bytesFor(paged == 0 ? countOf(ranges) : budgetPages(paged, countOf(ranges)));
        if (paged == 0) {
            return new DeviceMemoryExhaustedException(mirror.toString(), neededBytes, mirror.budgetBytes(), parts.toString());
        }
        parts.append(", and through the page table at least ").append(pageSize.bytesFor(paged)).append(" bytes at a time");
        return DeviceMemoryExhaustedException.ofPagingKernel(mirror.toString(), neededBytes, mirror.budgetBytes(), parts.toString());
    }
}
