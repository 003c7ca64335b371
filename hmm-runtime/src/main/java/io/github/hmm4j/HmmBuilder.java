package io.github.hmm4j;

import io.github.hmm4j.device.Device;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.opencl.ClDevice;
import io.github.hmm4j.device.opencl.ClOptions;
import io.github.hmm4j.device.opencl.CopyMode;
import io.github.hmm4j.device.opencl.ProgramCache;
import io.github.hmm4j.error.NoDeviceException;
import io.github.hmm4j.migrate.Steps;
import io.github.hmm4j.mirror.PlacementMode;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.pager.NativePager;
import io.github.hmm4j.policy.AheadPolicy;
import io.github.hmm4j.policy.EvictionPolicy;
import io.github.hmm4j.policy.LeastRecentlyUsed;
import io.github.hmm4j.policy.StreamsAhead;
import io.github.hmm4j.space.ByteText;
import io.github.hmm4j.space.PageSize;
import io.github.hmm4j.space.Parts;
import io.github.hmm4j.timeline.TraceFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// How to open a heap. Used by one thread.
public final class HmmBuilder {

    private static final String METRICS = "hmm.metrics";
    private static final String PLACEMENT = "hmm.placement";
    private static final Logger LOG = LoggerFactory.getLogger(HmmBuilder.class);

    /// So that a deadline in nanoseconds does not overflow.
    private static final Duration LONGEST_TIMEOUT = Duration.ofDays(365);

    private static final long MOST_PAGES_AHEAD = 64;
    private static final long RESERVED_BYTES = 400L << 20; // of a device, for what is not pages

    private long heapBytes = ByteSize.gib(1);
    private PageSize pageSize = PageSize.DEFAULT;
    private OptionalLong budgetBytes = OptionalLong.empty();
    private @Nullable ClBinding binding;
    private String selector = "";
    private boolean allDevices;
    private boolean hostOnly;
    private ClOptions clOptions = ClOptions.DEFAULTS;
    private @Nullable EvictionPolicy evictionPolicy;
    private @Nullable AheadPolicy aheadPolicy;
    private Duration launchTimeout = Duration.ofSeconds(30);
    private @Nullable Duration touchTimeout;
    private HostAccess.@Nullable Mode hostAccess;
    private long faultAroundBytes = ByteSize.mib(32);
    private boolean exclusive;
    private boolean deviceFaults;
    private @Nullable PlacementMode placement; // null: as the setting says
    private @Nullable Path tracePath;
    private @Nullable TraceFile trace;
    private Steps steps = Steps.NONE;
    private @Nullable Boolean metrics; // null: as the setting says
    private final List<Supplier<Device>> given = new ArrayList<>();
    private final List<Device> owned = new ArrayList<>();

    HmmBuilder() {}

    /// Address space of the heap; reserved, and paid for as it is used. Default: 1 GiB. The memory counts as shared
    /// memory, also where a container's is limited; `mlockall` takes all of it at once.
    public HmmBuilder heap(long capacityBytes) {
        heapBytes = capacityBytes;
        return this;
    }

    /// Size of a page, a power of two from 4 KiB to 2 MiB. Default: 64 KiB.
    public HmmBuilder pageSize(long bytes) {
        pageSize = PageSize.of(bytes);
        return this;
    }

    /// Device memory that pages may take on each device, at least a page. Default: what is free of the device's memory
    /// when the heap is opened, less 400 MiB (of small devices less a quarter); half of all memory at most if the device
    /// works in host memory, and an eighth at least. Free is what the driver says (AMD's does), else all but what heaps
    /// of this process have taken of the device. What else is needed is in the rest: pinned memory for copies
    /// ([HmmDevice#stagingBytes]), 14 MiB at most in which scattered pages are packed on the device, tables of kernels that
    /// page, copies of arguments, what the driver keeps for itself.
    ///
    /// A plain kernel takes what its arguments take together. One that pages (`hmm.clh`) takes its plain arguments, or a
    /// quarter of the budget if that is more, and the pages that one of its work-items asks for at a time; where kernels
    /// fault, [#deviceFaults()] says how much.
    ///
    /// It is a limit, and memory is taken as pages need it. So heaps on one device share what there is: who asks last and
    /// is refused works with less, or brings its own pages home.
    public HmmBuilder budget(long bytes) {
        if (bytes <= 0) {
            throw new IllegalArgumentException("budgetBytes=" + bytes + ", must be positive");
        }
        budgetBytes = OptionalLong.of(bytes);
        return this;
    }

    /// The library that OpenCL calls go through. Default: LWJGL, or JOCL where only that is on the class path.
    public HmmBuilder binding(ClBinding binding) {
        this.binding = Objects.requireNonNull(binding, "binding");
        return this;
    }

    /// Which OpenCL device: its number in `hmm devices`, or a part of its name, vendor or platform in any case. Default: a discrete GPU before
    /// an integrated one, that before all others, then the one with most memory; a device that several drivers show counts once, by its maker's own driver if that is among them.
    public HmmBuilder device(String selector) {
        this.selector = Objects.requireNonNull(selector, "selector").strip();
        return this;
    }

    /// All OpenCL devices that match, not only the best one; one that several drivers show is opened once.
    public HmmBuilder allDevices() {
        allDevices = true;
        return this;
    }

    /// A device that is open already; may be called several times. The heap owns it and closes it, and so does [#open()] where it fails.
    public HmmBuilder device(Device device) {
        owned.add(Objects.requireNonNull(device, "device"));
        given.add(() -> device);
        return this;
    }

    /// An OpenCL context and a device in it that the application has made and keeps; opened and retained by [#open()].
    ///
    /// @param api     the binding whose handles these are, such as `LwjglClApi.load()`; handles of JOCL become known to one `JoclClApi` by its method `adopt`
    /// @param context a `cl_context`
    /// @param device  a `cl_device_id` of that context
    public HmmBuilder context(ClApi api, long context, long device) {
        Objects.requireNonNull(api, "api");
        given.add(() -> ClDevice.over(api, context, device, clOptions));
        return this;
    }

    /// No device at all: a heap with views, snapshots and mirrors of the program's own, on a machine with or without OpenCL.
    public HmmBuilder hostOnly() {
        hostOnly = true;
        return this;
    }

    /// Details of OpenCL devices: copy engine, profiling, compiled programs.
    public HmmBuilder openCl(ClOptions options) {
        clOptions = Objects.requireNonNull(options, "options");
        return this;
    }

    /// Whether launches know from the first one on how long they took on an OpenCL device ([Launch#deviceNanos]), which
    /// costs a little on each. Default: only once a trace or a flight recording wants it.
    public HmmBuilder profiling(boolean on) {
        clOptions = clOptions.profiling(on);
        return this;
    }

    /// Which copy engine moves the pages of OpenCL devices, so that it is the same in every run. Default: what
    /// `-Dhmm.copy=direct|staged|copy` says, else what a short test finds best on each device, which may differ between runs on a busy machine.
    ///
    /// Fails at [#open()] if a device cannot use that engine: direct is for those that work in host memory.
    public HmmBuilder copy(CopyMode mode) {
        clOptions = clOptions.copy(Objects.requireNonNull(mode, "mode"));
        return this;
    }

    /// Where programs that OpenCL devices have compiled are kept for the next run. Default: what
    /// `-Dhmm.programCache=FOLDER` or `=off` says, else `hmm4j` in `$XDG_CACHE_HOME` or `~/.cache`, but nothing of
    /// POCL's, which does that itself ([ProgramCache]).
    public HmmBuilder programs(ProgramCache cache) {
        clOptions = clOptions.programs(Objects.requireNonNull(cache, "cache"));
        return this;
    }

    /// Who gives up its place when a device is full. Default: cheapest and least recently used first; where kernels fault ([#deviceFaults()]), what came first.
    public HmmBuilder eviction(EvictionPolicy policy) {
        evictionPolicy = Objects.requireNonNull(policy, "policy");
        return this;
    }

    /// What comes along with pages that a kernel misses on a device that cannot hold the heap. Default: up to 64 pages behind those that were missed in a row; where kernels fault ([#deviceFaults()]), up to 1 MiB behind a fault that
    /// goes on where another has ended.
    public HmmBuilder ahead(AheadPolicy policy) {
        aheadPolicy = Objects.requireNonNull(policy, "policy");
        return this;
    }

    /// How long a launch waits for views of other threads to close. Default: 30 seconds.
    public HmmBuilder launchTimeout(Duration timeout) {
        launchTimeout = checked("launchTimeout", timeout);
        return this;
    }

    /// How long a touch of managed memory waits for a kernel that uses the page; then it is an [InternalError] of the code that touched, and the page stays where it is.
    /// Default: the launch timeout. Zero: for ever.
    ///
    /// A thread that touches is stopped where no safepoint can pass it by, so while it waits there is no garbage collection and no thread dump, other threads stop as soon as
    /// they want one, and the process does not end on `SIGTERM`: [Launch#await()] the kernel before you touch what it uses. A wait of 100 ms is logged with kernel, page and thread.
    /// Views are not concerned: whoever waits to open one holds nobody up.
    public HmmBuilder touchTimeout(Duration timeout) {
        touchTimeout = checked("touchTimeout", timeout);
        return this;
    }

    private static Duration checked(String name, Duration timeout) {
        if (Objects.requireNonNull(timeout, name).isNegative() || timeout.compareTo(LONGEST_TIMEOUT) > 0) {
            throw new IllegalArgumentException(name + "=" + timeout + ", must be 0 to " + LONGEST_TIMEOUT);
        }
        return timeout;
    }

    /// How the host shall reach managed memory. Default: the best way that works here, or what `-Dhmm.hostAccess=uffd|sigsegv|uffd_in_thread|checked` says.
    /// The best way is never `UFFD_IN_THREAD`, which has to be asked for.
    ///
    /// With `SIGSEGV` a thread of native code that blocks that signal must not touch managed memory, with
    /// `UFFD_IN_THREAD` one that blocks `SIGBUS`: the kernel ends the process. No thread of Java does. Up to 256 heaps
    /// may be open at once, and one that is too many is a [io.github.hmm4j.error.HostAccessUnavailableException] of
    /// [#open()]. What an error of a touch looks like: [ManagedHeap].
    public HmmBuilder hostAccess(HostAccess.Mode mode) {
        hostAccess = Objects.requireNonNull(mode, "mode");
        return this;
    }

    /// Most bytes that a touch of a page on a device brings along when touches follow one another; less than two pages turns that off. Default: 32 MiB.
    ///
    /// Less than two pages also means that a load only ever reads: otherwise a page that was read and then written three
    /// times after kernels is taken by the next load as by a store, so that the device has to be given it again.
    public HmmBuilder faultAround(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("faultAroundBytes=" + bytes + ", must not be negative");
        }
        faultAroundBytes = bytes;
        return this;
    }

    /// Gives the host memory of pages back to the operating system while they are on a device, so that a page takes memory in one place only; it is taken anew, and paid for,
    /// when the page comes home.
    public HmmBuilder exclusive() {
        exclusive = true;
        return this;
    }

    /// Lets kernels fault: a load or store of a page that is not on the device stops until the page has come, in the middle of the kernel, while others make room for it. So **unmodified** kernels run over
    /// more than the budget and move what they touch, and what the host touches meanwhile comes home without waiting for them; kernels may follow pointers to all of the heap ([Arg#heap]).
    ///
    /// For devices that work in host memory (CPU devices), with userfaultfd or SIGSEGV, and a heap no larger than a device's largest allocation. A page of address space stays free between regions.
    /// Of several devices all fault, and each takes from the others what its kernels touch; two kernels that write to the same page at the same time both go on, at the price of moving it to and fro. With
    /// SIGSEGV no thread that runs kernels may have that signal blocked (POCL's have not), and system calls of a driver on a page that is not there fail.
    /// An access to addresses of the heap that are in no region, or that a protection forbids, reads zeros and writes
    /// nothing, and [Launch#await()] throws an [io.github.hmm4j.error.AccessViolationException] with the first one;
    /// beyond the heap's addresses it is the device's own business, which on a CPU may be the end of the process.
    ///
    /// A kernel waits for views of what it touches as long as a touch may ([#touchTimeout]), then goes on without that
    /// page and ends with a [io.github.hmm4j.error.LaunchBlockedException]; one kernel of a device runs at a time, and a
    /// launch waits for the one before it for as long.
    ///
    /// The budget must have room for 33 pages for each compute unit: the 32 that one instruction can touch, and one on its
    /// way in. With two units and pages of 64 KiB that is 4.1 MiB, with pages of 4 KiB 264 KiB. Less is an
    /// [IllegalArgumentException] of [#open()], as are a heap that is larger than a device's largest allocation and a device
    /// with memory of its own; a way to reach memory that does not notice what kernels touch is a
    /// [io.github.hmm4j.error.HostAccessUnavailableException]. A program: `hmm-runtime/docs/paging.md`.
    public HmmBuilder deviceFaults() {
        deviceFaults = true;
        return this;
    }

    /// Whether kernels of OpenCL devices use host pages where they are. Default: what
    /// `-Dhmm.placement=auto|private|in_place` says, else private. A region may be otherwise: [ManagedHeap#place].
    ///
    /// In place nothing moves and nothing takes a budget: a launch costs what a bare one does, and a touch by the host
    /// is an ordinary load or store. So **a touch does not wait for a kernel** that uses the page, as it does where
    /// pages move: host and kernel may use a page at a time, as with fine-grained shared memory, and what a kernel has
    /// written is there for sure when it was [awaited][Launch#await()]. Views and pins do wait for kernels, and keep
    /// launches away. What a kernel has written in place before it failed stays, and no page is poisoned.
    ///
    /// The device has to prove it with small kernels when the heap opens. Where it does not, asking for `IN_PLACE` is
    /// an [io.github.hmm4j.error.InPlaceUnavailableException] of [#open()], and `AUTO` is private; `IN_PLACE` and
    /// [#deviceFaults()] exclude each other.
    public HmmBuilder placement(PlacementMode mode) {
        placement = Objects.requireNonNull(mode, "mode");
        return this;
    }

    /// Writes a file of all that happens, for `ui.perfetto.dev` and `chrome://tracing`, until the heap is closed. Queues of OpenCL devices keep times then, as
    /// [ClOptions#profiling] and [ClOptions#copyTimes] have it, if the heap opens the device; see `demos/docs/timeline.md`.
    public HmmBuilder trace(Path file) {
        tracePath = Objects.requireNonNull(file, "file");
        trace = null;
        return this;
    }

    /// The same into a file that is open already, which may show several heaps; the caller closes it after them.
    public HmmBuilder trace(TraceFile file) {
        trace = Objects.requireNonNull(file, "file");
        tracePath = null;
        return this;
    }

    /// Whether monitors see the heap, as an MXBean: [HeapMXBean]. Default: what `-Dhmm.metrics=true|false` says, else
    /// not. See `hmm-runtime/docs/metrics.md`.
    public HmmBuilder metrics(boolean on) {
        metrics = on;
        return this;
    }

    private boolean wantsMetrics() {
        if (metrics != null) {
            return metrics;
        }
        String setting = System.getProperty(METRICS, "false");
        return switch (setting) {
            case "true", "" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException(METRICS + "=" + setting + ", must be true or false");
        };
    }

    /// For tests: who is told of the steps of migrations.
    HmmBuilder steps(Steps steps) {
        this.steps = steps;
        return this;
    }

    /// Opens the heap and its devices.
    ///
    /// @throws NoDeviceException                           if no device matches, or there is no OpenCL; the message says what would help
    /// @throws io.github.hmm4j.error.HostAccessUnavailableException if the native part is not there, or the way that was asked for cannot be had; the message says what would help
    /// @throws io.github.hmm4j.error.HmmException if a device or the operating system refuses
    /// @throws UncheckedIOException                        if the file of [#trace(Path)] cannot be written
    public Hmm open() {
        List<Device> devices = new ArrayList<>();
        if (tracePath != null) {
            trace = null; // that of a heap before this one
        }
        try {
            requireOneChoice();
            NativePager.requireNativePart();
            boolean withMetrics = wantsMetrics();
            openTrace();
            if (given.isEmpty() && !hostOnly) {
                // who works in a range of ours copies within it
                ClOptions options = deviceFaults && clOptions.copy() == CopyMode.AUTO ? clOptions.copy(CopyMode.DIRECT) : clOptions;
                takeOver(OpenClDevices.open(binding == null ? ClBinding.firstPresent() : binding, selector, allDevices, options), devices);
            }
            given.forEach(device -> devices.add(device.get()));
            if (devices.size() > PageWord.MAX_DEVICES) {
                throw new IllegalArgumentException("devices=" + devices.size() + ", at most " + PageWord.MAX_DEVICES);
            }
            if (deviceFaults) {
                devices.forEach(HmmBuilder::requireHostMemory);
            }
            Hmm hmm = new Hmm(this, devices);
            if (withMetrics) {
                show(hmm);
            }
            tell(hmm);
            owned.clear(); // they are that heap's
            return hmm;
        } catch (RuntimeException | Error e) {
            for (int i = owned.size() - 1; i >= 0; i--) { // no more than loops: the Java heap may be full
                if (!devices.contains(owned.get(i))) {
                    Parts.closeAfter(e, owned.get(i)); // whose turn had not come
                }
            }
            for (int i = devices.size() - 1; i >= 0; i--) {
                Parts.closeAfter(e, devices.get(i));
            }
            TraceFile own = ownTrace();
            if (own != null) {
                Parts.closeAfter(e, own);
            }
            throw e;
        }
    }

    private static void takeOver(List<? extends Device> opened, List<Device> devices) {
        try {
            devices.addAll(opened);
        } catch (OutOfMemoryError e) {
            for (int i = opened.size() - 1; i >= 0; i--) {
                Parts.closeAfter(e, opened.get(i));
            }
            throw e;
        }
    }

    /// The module is an optional one, so no class that needs it is loaded before it is known to be there. A heap that
    /// monitors cannot see is as good as any other.
    private static void show(Hmm hmm) {
        if (ModuleLayer.boot().findModule("java.management").isEmpty()) {
            LOG.warn("metrics=true: this Java runtime has no module java.management, so monitors do not see the heap");
            return;
        }
        try {
            hmm.showMetrics();
        } catch (IllegalStateException e) {
            LOG.warn("monitors do not see the heap", e);
        }
    }

    private static void tell(Hmm hmm) {
        try {
            hmm.devices().forEach(device -> LOG.info("{}: {}, {}, budget {} and {} for staging, copies {}, {} ({})", device,
                    device.info().driver(), device.info().binding(), ByteText.of(device.budgetBytes()), ByteText.of(device.stagingBytes()), device.copyEngine(),
                    device.placement(), device.placementWhy()));
            LOG.info("host access {}: {}{}", hmm.hostAccess().mode(), hmm.hostAccess().why(),
                    hmm.hostAccess().better().isEmpty() ? "" : ". Better: " + hmm.hostAccess().better());
        } catch (OutOfMemoryError e) {
            return; // the heap is open, whether or not that is told
        }
    }

    private void openTrace() {
        if (tracePath != null) {
            try {
                trace = TraceFile.create(tracePath);
            } catch (IOException e) {
                throw new UncheckedIOException("trace=" + tracePath + " cannot be written", e);
            }
        }
        if (trace != null) {
            clOptions = clOptions.profiling(true).copyTimes(true);
        }
    }

    private void requireOneChoice() {
        boolean chosen = !selector.isEmpty() || allDevices;
        if ((hostOnly && (chosen || !given.isEmpty())) || (chosen && !given.isEmpty())) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "hostOnly=%s, device=%s, allDevices=%s, devices given=%d exclude each other",
                    hostOnly, selector, allDevices, given.size()));
        }
        if (placement == PlacementMode.IN_PLACE && deviceFaults) {
            throw new IllegalArgumentException("placement=in_place and deviceFaults exclude each other: "
                    + "kernels that fault have pages of their own");
        }
    }

    long heapBytes() {
        return heapBytes;
    }

    PageSize pageSize() {
        return pageSize;
    }

    /// Asks the device what is free, so twice is not the same.
    long budgetBytes(Device device) {
        DeviceInfo info = device.info();
        long wanted = budgetBytes.isPresent() ? budgetBytes.getAsLong() : sensibleBudgetBytes(info, device.freeBytes());
        if (wanted < pageSize.bytes()) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "budgetBytes=%d of device=%s has no room for a page, pageSize=%d", wanted, info.name(), pageSize.bytes()));
        }
        return Math.min(wanted, (long) Integer.MAX_VALUE * pageSize.bytes()) / pageSize.bytes() * pageSize.bytes();
    }

    static long sensibleBudgetBytes(DeviceInfo info, long freeBytes) {
        long all = info.memoryBytes();
        return Math.clamp(freeBytes - Math.min(RESERVED_BYTES, all / 4), all / 8, info.unifiedMemory() ? all / 2 : all);
    }

    /// What the heap closes.
    @Nullable TraceFile ownTrace() {
        return tracePath == null ? null : trace;
    }

    TraceFile.@Nullable Part tracePart() {
        return trace == null ? null : trace.part();
    }

    HostAccess.@Nullable Mode hostAccess() {
        return hostAccess;
    }

    long faultAroundBytes() {
        return faultAroundBytes;
    }

    private static void requireHostMemory(Device device) {
        DeviceInfo info = device.info();
        if (!info.unifiedMemory()) {
            throw new IllegalArgumentException("deviceFaults: device=" + info.name() + " does not work in host memory, so its kernels cannot fault; kernels that include hmm.clh page there");
        }
    }

    boolean isFaulting(List<Device> devices) {
        if (deviceFaults && (devices.isEmpty() || exclusive)) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "deviceFaults takes devices and no exclusive host memory, devices=%d, exclusive=%s",
                    devices.size(), exclusive));
        }
        return deviceFaults;
    }

    /// @throws IllegalArgumentException if the command line names one that there is not
    PlacementMode placementAsked() {
        return placement != null ? placement
                : PlacementMode.of(System.getProperty(PLACEMENT, PlacementMode.PRIVATE.toString()));
    }

    boolean isExclusive() {
        return exclusive;
    }

    Steps steps() {
        return steps;
    }

    boolean choosesEviction() {
        return evictionPolicy != null;
    }

    boolean choosesAhead() {
        return aheadPolicy != null;
    }

    EvictionPolicy evictionPolicy() {
        return evictionPolicy == null ? new LeastRecentlyUsed() : evictionPolicy;
    }

    AheadPolicy aheadPolicy() {
        return aheadPolicy == null ? new StreamsAhead(MOST_PAGES_AHEAD) : aheadPolicy;
    }

    Duration touchTimeout() {
        return touchTimeout == null ? launchTimeout : touchTimeout;
    }

    Duration launchTimeout() {
        return launchTimeout;
    }
}
