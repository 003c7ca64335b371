package io.github.hmm4j;

import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import io.github.hmm4j.error.KernelBuildException;
import io.github.hmm4j.error.QuotaExceededException;
import io.github.hmm4j.migrate.LaunchGate;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.PageUse;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.pager.HostViews;
import io.github.hmm4j.space.AddressSpace;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.VaRange;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Copies and fills within the heap where the pages are: slice by slice, by a kernel (`memory.cl`) on the device that
/// has most of the slice's pages, else by the host.
///
/// Kernels go through the gate like any other, so what they touch is published and claimed as theirs, and what they
/// overwrite is not fetched. A device that cannot take a slice leaves it to the host.
///
/// Threads: any, within the heap's lifetime.
final class HeapCopies {

    private static final Logger LOG = LoggerFactory.getLogger(HeapCopies.class);

    private static final long LARGEST_SLICE_BYTES = 16 << 20;
    private static final int SLICES_IN_A_BUDGET = 8; // a launch takes two, and kernels that go through the page table leave a quarter
    private static final int ITEM_BYTES = 16;
    private static final int GROUP_ITEMS = 64;

    private final ManagedPages heap;
    private final AddressSpace space;
    private final HostViews views;
    private final Launcher launcher;
    private final MemorySegment all;
    private final BiFunction<DeviceMirror, String, DeviceKernel> kernels;
    private final Set<DeviceMirror> without = ConcurrentHashMap.newKeySet(); // devices that have no such kernels

    /// @param all     the whole heap
    /// @param kernels those of `memory.cl`, by device and name; compiled when they are first needed
    HeapCopies(ManagedPages heap, HostViews views, Launcher launcher, MemorySegment all, BiFunction<DeviceMirror, String, DeviceKernel> kernels) {
        this.heap = heap;
        this.space = heap.space();
        this.views = views;
        this.launcher = launcher;
        this.all = all;
        this.kernels = kernels;
    }

    /// @param segment of which `target` are the addresses
    void fill(MemorySegment segment, VaRange target, byte value) {
        List<Launch> launches = new ArrayList<>();
        for (VaRange slice : slices(target)) {
            PageRange pages = space.pagesOf(slice);
            DeviceMirror mirror = isPinned(pages, true) ? null : deviceOf(pages);
            if (mirror == null || !launch(mirror, launches, () -> launchFill(mirror, slice, value, List.of(segment), launches))) {
                try (HostView view = views.view(slice, true, false)) {
                    Segments.requireCurrent(space, segment);
                    view.segment().fill(value);
                }
            }
        }
        launches.forEach(Launch::await);
    }

    /// @param source of which `from` are the addresses
    /// @param target of which `to` are; as many
    void copy(MemorySegment source, VaRange from, MemorySegment target, VaRange to) {
        if (from.overlaps(to)) {
            copyOnHost(source, from, target, to);
            return;
        }
        List<Launch> launches = new ArrayList<>();
        List<MemorySegment> alive = List.of(source, target);
        for (VaRange slice : slices(to)) {
            VaRange read = VaRange.ofLength(from.startBytes() + slice.startBytes() - to.startBytes(), slice.lengthBytes());
            PageRange pages = space.pagesOf(slice);
            PageRange readPages = space.pagesOf(read);
            DeviceMirror mirror = isPinned(pages, true) || isPinned(readPages, false) ? null : deviceOf(readPages, pages);
            if (mirror == null || !launch(mirror, launches, () -> launchCopy(mirror, read, slice, alive, launches))) {
                copyOnHost(source, read, target, slice);
            }
        }
        launches.forEach(Launch::await);
    }

    /// Copies managed bytes to memory of the device that no page lies in, from its beginning on.
    ///
    /// @throws io.github.hmm4j.error.HmmException if the device fails
    void lend(DeviceMirror mirror, MemorySegment source, VaRange from, DeviceMemory to) {
        List<Launch> launches = new ArrayList<>();
        for (VaRange slice : slices(from)) {
            VaRange pointer = pointerTo(mirror, slice);
            launches.add(launch(mirror, "copy_bytes", slice, List.of(source), new Plan.Passed.Unmanaged(to), slice.startBytes() - from.startBytes(),
                    Arg.in(segment(pointer)), slice.startBytes() - pointer.startBytes(), slice.lengthBytes()));
        }
        launches.forEach(Launch::await);
    }

    /// The other way.
    void takeBack(DeviceMirror mirror, DeviceMemory from, MemorySegment target, VaRange to) {
        List<Launch> launches = new ArrayList<>();
        for (VaRange slice : slices(to)) {
            for (VaRange part : parts(mirror, slice)) {
                launches.add(launch(mirror, "copy_bytes", part, List.of(target), argument(mirror, part), part.startBytes() - pointerTo(mirror, part).startBytes(),
                        new Plan.Passed.Unmanaged(from), part.startBytes() - to.startBytes(), part.lengthBytes()));
            }
        }
        launches.forEach(Launch::await);
    }

    /// Right for ranges that overlap, too.
    private void copyOnHost(MemorySegment source, VaRange from, MemorySegment target, VaRange to) {
        try (HostView read = views.view(from, false, false); HostView write = views.view(to, true, false)) {
            Segments.requireCurrent(space, source);
            Segments.requireCurrent(space, target);
            MemorySegment.copy(read.segment(), 0, write.segment(), 0, from.lengthBytes());
        }
    }

    /// The parts of a range that are handled one by one, which end at pages.
    private List<VaRange> slices(VaRange range) {
        long pageBytes = space.pageSize().bytes();
        long smallest = heap.mirrors().stream().mapToLong(mirror -> mirror.budgetBytes() / SLICES_IN_A_BUDGET).min().orElse(LARGEST_SLICE_BYTES);
        long quota = heap.mirrors().stream().flatMap(mirror -> mirror.quotas(List.of(space.pagesOf(range))).stream())
                .mapToLong(one -> space.pageSize().bytesFor(one.pages())).min().orElse(LARGEST_SLICE_BYTES);
        long sliceBytes = Math.max(pageBytes, Math.min(Math.min(LARGEST_SLICE_BYTES, quota), smallest) / pageBytes * pageBytes);
        List<VaRange> slices = new ArrayList<>();
        long start = range.startBytes();
        while (start < range.endBytes()) {
            long boundary = space.addressOf(space.pageOf(start)) + sliceBytes;
            long end = Math.min(range.endBytes(), boundary);
            slices.add(new VaRange(start, end));
            start = end;
        }
        return slices;
    }

    private boolean isPinned(PageRange pages, boolean writes) {
        return LaunchGate.isPinned(heap.table(), List.of(new PageUse(pages, writes)));
    }

    /// What is read counts before what is written, which is not fetched.
    private @Nullable DeviceMirror deviceOf(PageRange read, PageRange written) {
        DeviceMirror mirror = deviceOf(read);
        return mirror == null ? deviceOf(written) : mirror;
    }

    /// The device that has more than half of the pages, if kernels of ours can run there.
    private @Nullable DeviceMirror deviceOf(PageRange pages) {
        for (DeviceMirror mirror : heap.mirrors()) {
            if (mirror.isFaulting() || without.contains(mirror)) { // one kernel at a time runs where kernels fault, and nothing is ever brought there ahead
                continue;
            }
            long there = 0;
            for (long page = pages.first(); page < pages.end(); page++) {
                there += mirror.canRead(heap.table().word(page)) ? 1 : 0;
            }
            if (2 * there > pages.count()) {
                return mirror;
            }
        }
        return null;
    }

    /// @return false if it did not happen, and the host has to do it
    private boolean launch(DeviceMirror mirror, List<Launch> launches, Runnable work) {
        int before = launches.size();
        try {
            work.run();
            return true;
        } catch (KernelBuildException e) {
            LOG.debug("{} does not copy within the heap", mirror, e);
            without.add(mirror);
        } catch (DeviceMemoryExhaustedException | QuotaExceededException e) {
            LOG.debug("{} has no room to copy within the heap", mirror, e);
        }
        for (int i = before; i < launches.size(); i++) {
            launches.get(i).await();
        }
        return false;
    }

    private void launchFill(DeviceMirror mirror, VaRange target, byte value, List<MemorySegment> alive, List<Launch> launches) {
        for (VaRange part : parts(mirror, target)) {
            VaRange pointer = pointerTo(mirror, part);
            launches.add(launch(mirror, "fill_bytes", part, alive, argument(mirror, part), part.startBytes() - pointer.startBytes(), value, part.lengthBytes()));
        }
    }

    private void launchCopy(DeviceMirror mirror, VaRange from, VaRange to, List<MemorySegment> alive, List<Launch> launches) {
        for (VaRange part : parts(mirror, to)) {
            VaRange read = VaRange.ofLength(from.startBytes() + part.startBytes() - to.startBytes(), part.lengthBytes());
            VaRange readPointer = pointerTo(mirror, read);
            launches.add(launch(mirror, "copy_bytes", part, alive, argument(mirror, part), part.startBytes() - pointerTo(mirror, part).startBytes(),
                    Arg.in(segment(readPointer)), read.startBytes() - readPointer.startBytes(), part.lengthBytes()));
        }
    }

    private Launch launch(DeviceMirror mirror, String kernel, VaRange part, List<MemorySegment> alive, Object... arguments) {
        long items = (part.lengthBytes() + ITEM_BYTES - 1) / ITEM_BYTES;
        NDRange range = NDRange.of((items + GROUP_ITEMS - 1) / GROUP_ITEMS * GROUP_ITEMS);
        return launcher.launch(kernels.apply(mirror, kernel), Map.of(), arguments, range, mirror, alive);
    }

    /// The whole, or, if a pointer cannot start where it does, the rest of its first page and what is behind that.
    private List<VaRange> parts(DeviceMirror mirror, VaRange range) {
        long nextPage = space.addressOf(space.pageOf(range.startBytes()) + 1);
        if (mirror.startsPointersAt(range) || range.endBytes() <= nextPage) {
            return List.of(range);
        }
        return List.of(new VaRange(range.startBytes(), nextPage), new VaRange(nextPage, range.endBytes()));
    }

    /// What is passed for a range: it begins where a pointer can. No region begins in between.
    private VaRange pointerTo(DeviceMirror mirror, VaRange range) {
        long alignment = mirror.device().info().baseAlignmentBytes();
        return new VaRange(range.startBytes() - (range.startBytes() - space.baseBytes()) % alignment, range.endBytes());
    }

    /// Bytes before the part belong to somebody, so a pointer that begins before it is to memory that is read as well.
    private Arg argument(DeviceMirror mirror, VaRange part) {
        VaRange pointer = pointerTo(mirror, part);
        return pointer.equals(part) ? Arg.out(segment(part)) : Arg.inOut(segment(pointer));
    }

    private MemorySegment segment(VaRange range) {
        return all.asSlice(range.startBytes() - space.baseBytes(), range.lengthBytes());
    }
}
