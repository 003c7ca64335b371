package io.github.hmm4j.migrate;

import io.github.hmm4j.device.FrameRun;
import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.Region;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Finds frames for pages, so that each range lies in one piece; makes room where there is none.
///
/// Under an aperture the frame is the page. In windows, a range gets a run of neighbouring frames: for its whole region if that is cheap, so that later slices of it
/// find their place ready, else for the range alone. Pages that lie elsewhere on the device already are copied over within the device.
///
/// Threads: the caller holds the device's lock.
public final class Placer {

    private static final Logger LOG = LoggerFactory.getLogger(Placer.class);

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
    public void place(DeviceMirror mirror, List<PageRange> ranges) {
        assert mirror.lock().isHeldByCurrentThread();
        if (mirror.isCoherent()) {
            return;
        }
        if (mirror.isAperture()) {
            placeInAperture(mirror, ranges);
            return;
        }
        List<PageRange> merged = merged(ranges);
        requireBudget(mirror, merged);
        if (!tryPlace(mirror, merged, true)) {
            evictor.evictAll(mirror); // what must be kept is itself in the way: start from an empty device, longest range first and nothing but what is needed
            mirror.pool().releaseFreeChunks();
            merged.sort(Comparator.comparingLong(PageRange::count).reversed());
            if (!tryPlace(mirror, merged, false)) {
                throw exhausted(mirror, merged, "the device gives no memory that holds each of them in one piece; largestAllocationBytes="
                        + mirror.device().info().maxAllocationBytes());
            }
        }
    }

    private boolean tryPlace(DeviceMirror mirror, List<PageRange> ranges, boolean wholeRegions) {
        for (PageRange range : ranges) {
            if (!mirror.isPlaced(range) && !adopt(mirror, range, ranges, wholeRegions)) {
                return false;
            }
        }
        return true;
    }

    private static void placeInAperture(DeviceMirror mirror, List<PageRange> ranges) {
        mirror.pool().allocateAperture();
        for (PageRange range : ranges) {
            for (long page = range.first(); page < range.end(); page++) {
                if (mirror.frameOf(page) < 0) {
                    mirror.assign(page, Math.toIntExact(page));
                }
            }
        }
    }

    /// Ranges that share a page must share a window.
    private static List<PageRange> merged(List<PageRange> ranges) {
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
        long pages = 0;
        for (PageRange range : ranges) {
            pages += range.count();
        }
        if (pages > mirror.pool().capacityFrames()) {
            throw exhausted(mirror, ranges, "the ranges that must be there together are larger than the budget");
        }
    }

    /// Returns false if there is no run of free frames and nothing outside `keep` can be evicted.
    private boolean adopt(DeviceMirror mirror, PageRange range, List<PageRange> keep, boolean wholeRegions) {
        PageRange target = range;
        PageRange region = regionPages(range);
        FrameRun run = null;
        if (wholeRegions && region.count() <= mirror.pool().freeFrames() && isUnplaced(mirror, region)) {
            run = runOrNull(mirror, Math.toIntExact(region.count()));
            target = run == null ? range : region;
        }
        if (run == null) {
            run = allocateEvicting(mirror, range, keep);
        }
        if (run == null) {
            return false;
        }
        long page = target.first();
        try (HostLock.Hold _ = hostLock.shared()) {
            while (page < target.end()) {
                int frame = run.first() + (int) (page - target.first());
                int old = -1;
                if (mirror.frameOf(page) < 0) {
                    mirror.assign(page, frame);
                } else {
                    old = relocate(mirror, page, frame);
                }
                page++; // its frame is its own from here on, whatever becomes of the old one
                if (old >= 0) {
                    mirror.pool().free(old, 1);
                }
            }
        } finally {
            if (page < target.end()) {
                int unused = (int) (target.end() - page);
                mirror.pool().free(run.first() + run.count() - unused, unused);
            }
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

    /// Moves a page that has a frame already to its place in a new run: within the device, under a claim, so that no launch can start on it meanwhile.
    ///
    /// @return the frame it had
    private int relocate(DeviceMirror mirror, long page, int frame) {
        int old = mirror.frameOf(page);
        hostSide.relocate(mirror, page, frame);
        return old;
    }

    private DeviceMemoryExhaustedException exhausted(DeviceMirror mirror, List<PageRange> ranges, String why) {
        long pages = 0;
        StringBuilder parts = new StringBuilder(why).append("; needed together:");
        for (PageRange range : ranges) {
            pages += range.count();
            parts.append(' ').append(heap.space().addressesOf(range)).append('=')
                    .append(heap.space().pageSize().bytesFor(range.count())).append(" bytes");
        }
        return new DeviceMemoryExhaustedException(mirror.toString(), heap.space().pageSize().bytesFor(pages),
                mirror.pool().budgetBytes(), parts.toString());
    }
}
