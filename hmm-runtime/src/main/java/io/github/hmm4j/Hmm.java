package io.github.hmm4j;

import io.github.hmm4j.account.Accounts;
import io.github.hmm4j.device.Device;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.migrate.Evictor;
import io.github.hmm4j.migrate.HostLock;
import io.github.hmm4j.migrate.LaunchGate;
import io.github.hmm4j.migrate.Placer;
import io.github.hmm4j.migrate.RegionChanges;
import io.github.hmm4j.migrate.ToDevice;
import io.github.hmm4j.migrate.ToHost;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.InFlight;
import io.github.hmm4j.mirror.InvalidationKind;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.Notifier;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.pager.CheckedPager;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.space.AddressSpace;
import io.github.hmm4j.space.VaRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
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
/// host memory behind them stays mapped, so that a forgotten view is a leak and never a crash.
public final class Hmm implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Hmm.class);

    private final Lifetime lifetime = new Lifetime();
    private final ManagedPages pages;
    private final ManagedHeap heap;
    private final CheckedPager pager;
    private final Evictor evictor;
    private final Launcher launcher;
    private final List<HmmDevice> devices;
    private final List<Program> programs = new ArrayList<>();

    /// @param opened devices, which this heap owns from here on, also if this fails
    Hmm(HmmBuilder builder, List<Device> opened) {
        pages = openPages(builder, opened);
        PageTable table = pages.table();
        HostLock hostLock = new HostLock();
        ToHost toHost = new ToHost(pages, hostLock);
        ToDevice toDevice = new ToDevice(pages, toHost, hostLock);
        evictor = new Evictor(pages, toHost, new Eviction(table, builder.evictionPolicy()));
        Placer placer = new Placer(pages, evictor, hostLock);
        RegionChanges regions = new RegionChanges(pages, hostLock, toHost, evictor);
        pager = new CheckedPager(pages, toHost);
        heap = new ManagedHeap(pages, lifetime, regions, toHost, toDevice, placer, pager);
        launcher = new Launcher(pages, pager, placer, toDevice, new LaunchGate(pages), hostLock, builder.launchTimeout());
        devices = pages.mirrors().stream().map(HmmDevice::new).toList();
    }

    private static ManagedPages openPages(HmmBuilder builder, List<Device> opened) {
        List<AutoCloseable> parts = new ArrayList<>();
        try {
            AddressSpace space = new AddressSpace(builder.heapBytes(), builder.pageSize());
            parts.add(space);
            PageTable table = new PageTable(space.pageCount());
            parts.add(table);
            List<DeviceMirror> mirrors = new ArrayList<>();
            for (Device device : opened) {
                mirrors.add(new DeviceMirror(mirrors.size(), device, space, table, builder.budgetBytes(device.info())));
                parts.add(mirrors.getLast());
            }
            return new ManagedPages(space, table, new InFlight(), new Notifier(), new Accounts(), mirrors);
        } catch (RuntimeException | Error e) {
            closeAll(parts.reversed()).ifPresent(e::addSuppressed);
            throw e;
        }
    }

    private static Optional<RuntimeException> closeAll(List<AutoCloseable> parts) {
        RuntimeException failure = null;
        for (AutoCloseable part : parts) {
            try {
                part.close();
            } catch (Exception e) {
                failure = failure == null ? new IllegalStateException("closing the heap failed in part") : failure;
                failure.addSuppressed(e);
            }
        }
        return Optional.ofNullable(failure);
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
        return devices.getFirst();
    }

    /// How the host reaches managed memory here.
    public HostAccess hostAccess() {
        return new HostAccess(HostAccess.Mode.CHECKED, "host access goes through views");
    }

    /// A program in OpenCL C 1.2.
    public Program program(Source source) {
        return program(source, "-cl-std=CL1.2");
    }

    /// A program with compiler options of its own.
    public Program program(Source source, String options) {
        try (Lifetime.Hold _ = lifetime.use()) {
            Program program = new Program(this, source, options);
            synchronized (programs) {
                programs.add(program);
            }
            return program;
        }
    }

    void forget(Program program) {
        synchronized (programs) {
            programs.remove(program);
        }
    }

    /// Brings home everything that is on a device and gives its memory back, as before the device is used for something else.
    public void evictAll(HmmDevice device) {
        try (Lifetime.Hold _ = lifetime.use()) {
            DeviceMirror mirror = mirrorOf(device);
            mirror.lock().lock();
            try {
                evictor.evictAll(mirror);
                mirror.pool().releaseAperture();
                mirror.pool().releaseFreeChunks();
            } finally {
                mirror.lock().unlock();
            }
        }
    }

    /// What has moved so far, and why.
    public Report report() {
        return Report.of(pages.accounts());
    }

    DeviceMirror mirrorOf(HmmDevice device) {
        return device.mirrorIn(pages);
    }

    Launcher launcher() {
        return launcher;
    }

    Lifetime lifetime() {
        return lifetime;
    }

    /// Waits for launches in flight, then releases devices and memory; what is on a device only is gone. Idempotent.
    @Override
    public void close() {
        if (!lifetime.end()) {
            return;
        }
        pages.inFlight().awaitAll();
        AddressSpace space = pages.space();
        VaRange all = VaRange.ofLength(space.baseBytes(), space.capacityBytes());
        pages.notifier().begin(all, InvalidationKind.RELEASE, -1).close(); // mirrors of the program's own forget everything
        List<AutoCloseable> parts = new ArrayList<>();
        synchronized (programs) {
            parts.addAll(programs);
        }
        parts.addAll(pages.mirrors());
        if (reportLeaks()) {
            LOG.warn("host memory of the heap stays mapped because of the views above");
        } else {
            parts.add(pages.table());
            parts.add(pages.space());
        }
        closeAll(parts).ifPresent(failure -> {
            throw failure;
        });
    }

    private boolean reportLeaks() {
        List<HostView> left = List.copyOf(pager.openViews());
        left.forEach(view -> LOG.warn("leaked: {}", view));
        return !left.isEmpty();
    }
}
