package io.github.hmm4j;

import io.github.hmm4j.account.Accounts;
import io.github.hmm4j.device.Device;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.migrate.Evictor;
import io.github.hmm4j.migrate.HostLock;
import io.github.hmm4j.migrate.HostSide;
import io.github.hmm4j.migrate.InPlacePages;
import io.github.hmm4j.migrate.LaunchGate;
import io.github.hmm4j.migrate.Placer;
import io.github.hmm4j.migrate.RegionChanges;
import io.github.hmm4j.migrate.ToDevice;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.InFlight;
import io.github.hmm4j.mirror.InvalidationKind;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.Notifier;
import io.github.hmm4j.mirror.PlacementMode;
import io.github.hmm4j.mirror.ProgramCode;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.pager.FaultingLaunchGate;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.pager.HostViews;
import io.github.hmm4j.pager.NativeHostSide;
import io.github.hmm4j.pager.NativeInFlight;
import io.github.hmm4j.pager.NativeLaunchGate;
import io.github.hmm4j.pager.NativePager;
import io.github.hmm4j.space.AddressSpace;
import io.github.hmm4j.space.Coloring;
import io.github.hmm4j.space.Handles;
import io.github.hmm4j.space.HostBlock;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.PageSize;
import io.github.hmm4j.space.Parts;
import io.github.hmm4j.space.VaRange;
import io.github.hmm4j.timeline.Timeline;
import io.github.hmm4j.timeline.TraceFile;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A managed heap and the devices that share it.
///
/// ```java
/// try (Hmm hmm = Hmm.builder().heap(ByteSize.gib(4)).open()) {
///     MemorySegment a = hmm.heap().allocate(JAVA_FLOAT, n);
///     Kernel scale = hmm.program(Source.resource("scale.cl")).kernel("scale");
///     scale.args(a, 2f).launch(NDRange.of(n)).await();
/// }
/// ```
///
/// Owns the heap, the devices, programs and kernels. Threads: any. [#close()] waits for calls and launches under way; views that are still open are reported, and the
/// host memory behind them stays mapped, so that a forgotten view is a leak and never a crash. A native call that uses a managed segment is waited for, for
/// ten seconds; if it goes on, everything stays as it is, since its page faults must be served. A forgotten pin does not keep its addresses mapped.
public final class Hmm implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Hmm.class);

    private static final long SMALLEST_COLORED_BYTES = ByteSize.mib(32);

    private final ProgramCode programCode = new ProgramCode();
    private final Lifetime lifetime = new Lifetime(programCode);
    private final ManagedPages pages;
    private final NativePager nativePager;
    private final Handles handles;
    private final ManagedHeap heap;
    private final HostViews views;
    private final Evictor evictor;
    private final LaunchGate gate;
    private final Launcher launcher;
    private final List<HmmDevice> devices;
    private final TimelineThread timelineThread;
    private final LongTouches longTouches;
    private final @Nullable VictimOrder victimOrder;
    private final @Nullable TraceFile ownTrace;
    private final List<Program> programs = new ArrayList<>();
    private final ReentrantLock closing = new ReentrantLock();
    private boolean closed;
    private @Nullable Program copyKernels;
    private @Nullable AutoCloseable metrics; // of a class that needs a module which may not be there

    /// @param opened devices, which this heap owns from here on, also if this fails
    Hmm(HmmBuilder builder, List<Device> opened) {
        Parts used = new Parts();
        Parts running = new Parts(); // closed first: it uses all of the others
        try {
            EarlyClasses.initialize();
            List<Long> budgets = opened.stream().map(builder::budgetBytes).toList();
            AddressSpace space = used.add(new AddressSpace(builder.heapBytes(), builder.pageSize(), coloring(builder, opened, budgets), sharedMemory(builder, opened)));
            PageTable table = used.add(new PageTable(space.pageCount(), space.pageSize()));
            nativePager = running.add(NativePager.open(builder.hostAccess(), space, table, opened, builder.faultAroundBytes(), builder.touchTimeout()));
            boolean faulting = builder.isFaulting(opened);
            pages = openPages(builder, opened, budgets, space, table, nativePager, new Notifier(programCode), used);
            HostLock hostLock = new HostLock();
            HostSide hostSide = new NativeHostSide(pages, hostLock, nativePager);
            ToDevice toDevice = new ToDevice(pages, hostSide, hostLock, builder.steps());
            Eviction eviction = new Eviction(pages.table(), programCode, builder.evictionPolicy());
            evictor = new Evictor(pages, hostSide, eviction);
            Placer placer = new Placer(pages, evictor, hostLock, hostSide);
            RegionChanges regions = new RegionChanges(pages, hostLock, hostSide, evictor);
            if (faulting) {
                space.guardRegions();
                regions.closeFreeSpace();
            }
            views = new HostViews(pages, hostSide);
            Ahead ahead = new Ahead(programCode, builder.aheadPolicy());
            if (faulting && builder.choosesAhead()) {
                pages.mirrors().forEach(mirror -> nativePager.setAlong(mirror, ahead.mostPages()));
            }
            victimOrder = faulting && builder.choosesEviction() ? running.add(new VictimOrder(pages, nativePager, eviction)) : null;
            gate = faulting ? new FaultingLaunchGate(pages, nativePager, views, victimOrder) : new NativeLaunchGate(pages, nativePager);
            handles = hostAccess().mode().isTransparent() ? Handles.touchable(space) : Handles.untouchable(space);
            running.add(handles::close);
            space.giveHandles(handles);
            Departure departure = builder.isExclusive() ? hostSide::releaseHostMemory : Departure.KEEPS_HOST_MEMORY;
            launcher = new Launcher(new LaunchParts(pages, views, placer, evictor, toDevice, new InPlacePages(pages, hostSide), ahead, gate, hostLock, departure, builder.launchTimeout()));
            HeapCopies copies = new HeapCopies(pages, views, launcher, handles.all(), (mirror, kernel) -> copyKernels().compiled(mirror, kernel));
            heap = new ManagedHeap(pages, lifetime, regions, hostSide, toDevice, placer, views, copies, handles, departure);
            devices = pages.mirrors().stream().map(mirror -> new HmmDevice(mirror, lifetime)).toList();
            pages.mirrors().forEach(mirror -> mirror.device().reportTo(pages.timeline(), mirror.index()));
            timelineThread = running.add(new TimelineThread(pages, nativePager));
            longTouches = running.add(new LongTouches(pages, nativePager));
            ownTrace = builder.ownTrace();
        } catch (RuntimeException | Error e) {
            running.closeAfter(e);
            used.closeAfter(e);
            throw e;
        }
    }

    /// A small heap has no large regions in numbers. And a device that could take all of the heap in one piece must not lose that to the room for shifted regions.
    private static Coloring coloring(HmmBuilder builder, List<Device> opened, List<Long> budgets) {
        long heapBytes = builder.heapBytes();
        if (heapBytes < SMALLEST_COLORED_BYTES || heapBytes > AddressSpace.MOST_BYTES / 2) {
            return Coloring.NONE;
        }
        int alignment = opened.stream().mapToInt(device -> device.info().baseAlignmentBytes()).max().orElse(1);
        Coloring coloring = Coloring.of(alignment, budgets.stream().mapToLong(Long::longValue).min().orElse(Long.MAX_VALUE));
        long withRoomBytes = heapBytes + coloring.roomBytes(heapBytes) + PageSize.MAX_BYTES;
        boolean faulting = builder.isFaulting(opened); // then it has to be in one piece, whatever the budget
        boolean inOnePiece = IntStream.range(0, opened.size()).mapToLong(i -> faulting ? opened.get(i).info().maxAllocationBytes() : Math.min(budgets.get(i), opened.get(i).info().maxAllocationBytes()))
                .anyMatch(mostBytes -> (faulting || heapBytes <= mostBytes) && mostBytes < withRoomBytes);
        return inOnePiece || builder.pageSize().pagesFor(withRoomBytes) > Integer.MAX_VALUE ? Coloring.NONE : coloring;
    }

    /// Who allocates the host's memory, if not we: the first device whose kernels use no other in place. That cannot be mapped twice, so it is for checked access.
    private static HostBlock.@Nullable Source sharedMemory(HmmBuilder builder, List<Device> opened) {
        if (builder.placementAsked() != PlacementMode.IN_PLACE || !NativePager.isChecked(builder.hostAccess(), opened)) {
            return null;
        }
        for (Device device : opened) {
            if (!device.inPlace().proven() && device.inPlaceInShared().proven()) {
                return device::allocateShared;
            }
        }
        return null;
    }

    private static ManagedPages openPages(HmmBuilder builder, List<Device> opened, List<Long> budgets, AddressSpace space, PageTable table, NativePager nativePager,
            Notifier notifier, Parts used) {
        List<DeviceMirror> mirrors = new ArrayList<>();
        for (int i = 0; i < opened.size(); i++) {
            mirrors.add(used.add(new DeviceMirror(i, opened.get(i), space, table, budgets.get(i), builder.isFaulting(opened), builder.placementAsked())));
        }
        mirrors.forEach(nativePager::add);
        mirrors.stream().filter(DeviceMirror::isFaulting).forEach(nativePager::letFault);
        Accounts accounts = new Accounts();
        InFlight inFlight = new NativeInFlight(nativePager, mirrors);
        Timeline timeline = new Timeline(accounts, builder.tracePart());
        return new ManagedPages(space, table, inFlight, notifier, accounts, timeline, mirrors);
    }

    /// Returns what went wrong, or null.
    private static @Nullable RuntimeException closeAll(List<AutoCloseable> parts) {
        RuntimeException failure = null;
        for (AutoCloseable part : parts) {
            try {
                part.close();
            } catch (Exception e) {
                failure = failure == null ? new IllegalStateException("closing the heap failed in part") : failure;
                failure.addSuppressed(e);
            }
        }
        return failure;
    }

    public static HmmBuilder builder() {
        return new HmmBuilder();
    }

    public ManagedHeap heap() {
        return heap;
    }

    /// All devices, by index; none if the heap was opened with [HmmBuilder#hostOnly()].
    public List<HmmDevice> devices() {
        return devices;
    }

    /// The first device, where kernels run unless told otherwise.
    ///
    /// @throws java.util.NoSuchElementException if there is none
    public HmmDevice device() {
        if (devices.isEmpty()) {
            throw new NoSuchElementException("this heap has no device: it was opened with hostOnly");
        }
        return devices.getFirst();
    }

    /// How the host reaches managed memory here.
    public HostAccess hostAccess() {
        return nativePager.access();
    }

    /// A program in OpenCL C 1.2.
    public Program program(Source source) {
        return program(source, "");
    }

    /// A program with compiler options of its own, such as `-DTILE=16`, `-cl-fast-relaxed-math` or `-I include`. It is
    /// in OpenCL C 1.2, too, unless they name a version (`-cl-std=CL3.0`).
    ///
    /// @throws IllegalArgumentException if there is a NUL among the options
    public Program program(Source source, String options) {
        try (Lifetime.Hold _ = lifetime.use()) {
            Program program = new Program(this, source, options);
            synchronized (programs) {
                programs.add(program);
            }
            return program;
        }
    }

    /// What copies and fills within the heap where pages are on a device.
    private synchronized Program copyKernels() {
        Program known = copyKernels;
        if (known == null) {
            known = program(Source.resource("memory.cl"));
            copyKernels = known;
        }
        return known;
    }

    void forget(Program program) {
        synchronized (programs) {
            programs.remove(program);
        }
    }

    /// Brings home everything that is on a device and gives its memory back, as before the device is used for something else.
    public void evictAll(HmmDevice device) {
        try (Lifetime.Hold _ = lifetime.change("evictAll")) {
            DeviceMirror mirror = mirrorOf(device);
            if (mirror.isFaulting()) {
                PageRange all = new PageRange(0, pages.space().pageCount());
                pages.inFlight().awaitUsesOn(mirror.index(), all);
                nativePager.takeHome(mirror, all);
                return;
            }
            mirror.lock().takeAlone();
            try {
                evictor.evictAll(mirror);
                if (mirror.isAperture()) {
                    mirror.aperture().release();
                } else {
                    mirror.pool().releaseFreeChunks();
                }
            } finally {
                mirror.lock().leave();
            }
        }
    }

    /// What has moved so far, and why.
    public Report report() {
        try (Lifetime.Hold _ = lifetime.use()) {
            drainCounts();
        } catch (IllegalStateException _) {
            // closed: what native code counted was taken then
        }
        return Report.of(pages.accounts());
    }

    DeviceMirror mirrorOf(HmmDevice device) {
        return Objects.requireNonNull(device, "device").mirrorIn(pages);
    }

    Launcher launcher() {
        return launcher;
    }

    Lifetime lifetime() {
        return lifetime;
    }

    /// Waits for launches in flight, then releases devices and memory; what is on a device only is gone. A launch that waits for a view ends with an [IllegalStateException]. Idempotent; if the Java heap runs out meanwhile, the next call goes on.
    @Override
    public void close() {
        lifetime.end(views::endWaits);
        if (closing.isHeldByCurrentThread()) {
            return; // a mirror that hears of the end
        }
        closing.lock();
        try {
            if (!closed) {
                closeAll();
                closed = true;
            }
        } finally {
            closing.unlock();
        }
    }

    /// Lets monitors see the heap, until it is closed.
    ///
    /// @throws IllegalStateException if they refuse
    void showMetrics() {
        metrics = new HeapMetrics(this);
    }

    private void closeAll() {
        if (metrics != null) {
            RuntimeException failure = closeAll(List.of(metrics));
            if (failure != null) {
                LOG.warn("monitors still see the heap", failure);
            }
        }
        if (!handles.close()) { // while faults are still served: threads in the middle of one must come out of it to hear of the end
            LOG.warn("the heap stays as it is, devices included: a native call still uses one of its segments, and its faults must be served");
            return;
        }
        boolean nativeIsOpen = !nativePager.isClosed(); // a call that ran out of Java heap may have come so far
        if (nativeIsOpen) {
            pages.inFlight().awaitAll();
        }
        AddressSpace space = pages.space();
        VaRange all = VaRange.ofLength(space.baseBytes(), space.capacityBytes());
        pages.notifier().begin(all, InvalidationKind.RELEASE, -1).close(); // mirrors of the program's own forget everything
        List<AutoCloseable> parts = new ArrayList<>();
        parts.add(timelineThread);
        if (nativeIsOpen) {
            drainCounts();
            if (victimOrder != null) {
                parts.add(victimOrder);
            }
            parts.add(longTouches);
            parts.add(gate::close);
            parts.add(nativePager);
        }
        synchronized (programs) {
            parts.addAll(programs);
        }
        parts.addAll(pages.mirrors());
        if (reportLeaks()) {
            LOG.warn("host memory of the heap stays mapped because of the views or pins above");
        } else {
            parts.add(pages.table());
            parts.add(this::closeSpace);
        }
        if (ownTrace != null) {
            parts.add(ownTrace);
        }
        RuntimeException failure = closeAll(parts);
        if (failure != null) {
            closed = true; // what could be closed is
            throw failure;
        }
    }

    private void closeSpace() {
        if (nativePager.mayBeWritten()) {
            LOG.warn("host memory of the heap stays mapped: a command of a lost device may still write to it");
        } else {
            pages.space().close();
        }
    }

    private void drainCounts() {
        nativePager.drainCounts(pages.accounts());
    }

    /// The pages, their words and the devices' sides, for tests.
    ManagedPages pages() {
        return pages;
    }

    /// The native part, for tests.
    NativePager nativePager() {
        return nativePager;
    }

    private boolean reportLeaks() {
        List<String> left = views.open();
        left.forEach(view -> LOG.warn("left open when the heap was closed: {}; close views and pins", view));
        return !left.isEmpty();
    }
}
