package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.CopyEngine;
import io.github.hmm4j.device.Device;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.device.DeviceProgram;
import io.github.hmm4j.device.InPlace;
import io.github.hmm4j.device.NativeGather;
import io.github.hmm4j.device.NativeHandles;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.InPlaceUnavailableException;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.space.ByteText;
import io.github.hmm4j.space.HostBlock;
import io.github.hmm4j.space.HostMemory;
import io.github.hmm4j.space.PageSize;
import io.github.hmm4j.space.Parts;
import io.github.hmm4j.space.ShareLock;
import io.github.hmm4j.timeline.DeviceClock;
import io.github.hmm4j.timeline.Timeline;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A device behind an OpenCL driver.
///
/// Owns: one reference to its context, two queues, and everything it hands out. Threads: any.
public final class ClDevice implements Device {

    private static final Logger LOG = LoggerFactory.getLogger(ClDevice.class);

    /// Pinned memory for copies that native code makes.
    private static final long NATIVE_STAGING_BYTES = 8L << 20;

    private static final int CALIBRATIONS = 8;
    private static final int CALIBRATION_BYTES = 64;

    private final ClApi api;
    private final ClDeviceId id;
    private final ClOptions options;
    private final long context;
    private final ClQueue compute;
    private final ClQueue copy;
    private final HeldMemory held;
    private final boolean largeBuffers;
    private final DeviceInfo info;

    /// Shared by whoever makes something, taken alone to close: nothing is made of a context that is being released.
    private final ShareLock life = new ShareLock();
    private final Set<Owned> owned = ConcurrentHashMap.newKeySet();
    private boolean closed;
    private boolean released;

    private final Object choosing = new Object();
    private @Nullable CopyChoice choice;
    private @Nullable InPlace inPlace;
    private @Nullable InPlace inPlaceInShared;
    private @Nullable PinnedMemory staging;
    private @Nullable PinnedBuffers slots;

    private ClDevice(ClApi api, long context, ClDeviceId id, ClOptions options) {
        this.api = api;
        this.id = id;
        this.options = options;
        this.context = context;
        this.held = HeldMemory.of(id);
        api.retainContext(context);
        ClQueue first = null;
        ClQueue second = null;
        try {
            first = new ClQueue(api, context, id.device(), id.info().name(), options.profiling(), true);
            this.compute = first;
            second = new ClQueue(api, context, id.device(), id.info().name(), options.copyTimes(), false);
            this.copy = second;
            this.largeBuffers = options.largeBuffersAsked() && LargeBuffers.areGivenBy(api, context, id);
            this.info = largeBuffers ? id.info().allocating(id.info().memoryBytes()) : id.info();
            if (options.largeBuffersAsked() && !largeBuffers) {
                LOG.info("{} gives no buffers larger than {}", id.info().name(), ByteText.of(id.info().maxAllocationBytes()));
            }
        } catch (RuntimeException | Error e) {
            abandon(first, second);
            throw e;
        }
    }

    /// Gives back what a device is made of that nobody has come to know. Takes nothing from the Java heap, which may be what failed.
    private void abandon(@Nullable ClQueue first, @Nullable ClQueue second) {
        try {
            if (second != null) {
                second.release();
            }
        } finally {
            try {
                if (first != null) {
                    first.release();
                }
            } finally {
                api.releaseContext(context);
            }
        }
    }

    /// Opens one device in a context of its own.
    public static ClDevice open(ClApi api, ClDeviceId id, ClOptions options) {
        return openAll(api, List.of(id), options).getFirst();
    }

    /// Opens several devices, in the given order, each in a context of its own.
    ///
    /// @throws IllegalArgumentException if a device is named twice
    public static List<ClDevice> openAll(ClApi api, List<ClDeviceId> ids, ClOptions options) {
        if (ids.stream().map(ClDeviceId::device).distinct().count() != ids.size()) {
            throw new IllegalArgumentException("devices=" + ids + ", must differ");
        }
        ClDevice[] devices = new ClDevice[ids.size()];
        List<ClDevice> all = Collections.unmodifiableList(Arrays.asList(devices)); // before there is anything that could be lost
        var cleanup = new Cleanup();
        cleanup.run(() -> {
            for (int i = 0; i < devices.length; i++) {
                devices[i] = openAlone(api, ids.get(i), options);
            }
        });
        if (cleanup.failure() != null) {
            for (int i = 0; i < devices.length; i++) {
                if (devices[i] != null) {
                    devices[i].abandon(devices[i].compute, devices[i].copy);
                }
            }
        }
        cleanup.end();
        return all;
    }

    private static ClDevice openAlone(ClApi api, ClDeviceId id, ClOptions options) {
        PoclSignals.warnUnlessChained(id);
        try {
            var cleanup = new Cleanup();
            long[] context = new long[1];
            ClDevice[] opened = new ClDevice[1];
            Runnable release = () -> api.releaseContext(context[0]); // the device has a reference of its own
            Runnable open = () -> opened[0] = new ClDevice(api, context[0], id, options);
            Runnable abandon = () -> opened[0].abandon(opened[0].compute, opened[0].copy);
            context[0] = api.createContext(id.platform(), id.device());
            cleanup.run(open).run(release);
            if (cleanup.failure() != null && opened[0] != null) {
                cleanup.run(abandon);
            }
            cleanup.end();
            return opened[0];
        } catch (HmmException e) {
            throw ClStatus.on(id.info().name(), e);
        }
    }

    /// Opens a device in a context that the application made and keeps: we hold a reference to it until this device is
    /// closed.
    ///
    /// @param context a `cl_context` of the library under `api`
    /// @param device  a `cl_device_id` in that context
    public static ClDevice over(ClApi api, long context, long device, ClOptions options) {
        ClDeviceId id = ClPlatforms.device(api, device);
        PoclSignals.warnUnlessChained(id);
        return new ClDevice(api, context, id, options);
    }

    String platformName() {
        return id.platformName();
    }

    @Override
    public DeviceInfo info() {
        return info;
    }

    /// Flags for all memory that may be large.
    long bufferFlags() {
        return Cl.MEM_READ_WRITE | (largeBuffers ? LargeBuffers.FLAG : 0);
    }

    /// Options for every program, with a space before each.
    String programOptions() {
        return " -cl-kernel-arg-info" + (largeBuffers ? " " + LargeBuffers.BUILD_OPTION : "");
    }

    @Override
    public DeviceMemory allocate(long lengthBytes) {
        if (lengthBytes <= 0 || lengthBytes > info().maxAllocationBytes()) {
            throw new IllegalArgumentException(
                    "lengthBytes=" + lengthBytes + ", must be positive and at most " + info().maxAllocationBytes());
        }
        return own(() -> ClMemory.allocated(this, lengthBytes));
    }

    /// Fine-grained shared memory where the device has it and works in host memory: elsewhere kernels would fetch each entry over the bus. What is host memory of ours is shared as it is.
    @Override
    public DeviceMemory tableMemory(long lengthBytes) {
        boolean shared = info.unifiedMemory() && info.svm().contains(DeviceInfo.Svm.FINE_GRAIN_BUFFER) && !usesHostMemory();
        return shared ? own(() -> new ClTableMemory(this, lengthBytes)) : allocate(lengthBytes);
    }

    @Override
    public long freeBytes() {
        long ours = Math.max(0, info().memoryBytes() - held.bytes());
        return Math.min(ours, ClHardware.freeBytes(api, handle()).orElse(ours));
    }

    HeldMemory held() {
        return held;
    }

    @Override
    public DeviceMemory scratch(long lengthBytes) {
        return own(() -> ClMemory.scratch(this, lengthBytes));
    }

    /// Memory and a queue for code that calls OpenCL itself.
    ///
    /// @throws io.github.hmm4j.error.OpenClFailedException if the driver refuses
    public ClLoan loan(long lengthBytes) {
        return own(() -> new ClLoan(this, lengthBytes));
    }

    @Override
    public CopyEngine copyEngine(long hostAddressBytes, long lengthBytes) {
        if (hostAddressBytes <= 0 || lengthBytes <= 0 || hostAddressBytes > Long.MAX_VALUE - lengthBytes) {
            throw new IllegalArgumentException("hostAddressBytes=" + hostAddressBytes + ", lengthBytes=" + lengthBytes
                    + ", must be a range of addresses");
        }
        CopyMode mode = CopyMode.of(copyChoice().name());
        return own(() -> ClCopyEngine.create(mode, this, hostAddressBytes, lengthBytes));
    }

    /// Which copy engine this device uses and why; runs the self-test if it has not run yet.
    public CopyChoice copyChoice() {
        synchronized (choosing) {
            if (choice == null) {
                choice = CopySelfTest.choose(this, options.copyAsked());
            }
            return choice;
        }
    }

    /// The heap's alias, by its address or wrapped piece by piece as kernels ask for it.
    @Override
    public DeviceMemory hostMemory(HostMemory host) {
        long hostAddressBytes = host.alias().address();
        long lengthBytes = host.lengthBytes();
        InPlace tried = inPlace(host);
        if (!tried.proven()) {
            throw new IllegalStateException(String.format(Locale.ROOT,
                    "device=%s cannot use host pages in place: %s, address=0x%x, lengthBytes=%d",
                    info().name(), tried.why(), hostAddressBytes, lengthBytes));
        }
        return tried.byAddress() ? new ClHostPointer(this, hostAddressBytes, lengthBytes, !isShared(host)) : wrapped(hostAddressBytes, lengthBytes);
    }

    ClHostMemory wrapped(long hostAddressBytes, long lengthBytes) {
        return own(() -> new ClHostMemory(this, hostAddressBytes, lengthBytes));
    }

    @Override
    public InPlace inPlace() {
        synchronized (choosing) {
            if (inPlace == null) {
                inPlace = InPlaceSelfTest.of(this);
            }
            return inPlace;
        }
    }

    /// Whether pages come home while a kernel runs that does not use them. Tried with each call, for people to read.
    public Overlap overlap() {
        return OverlapSelfTest.of(this);
    }

    @Override
    public InPlace inPlace(HostMemory host) {
        return isShared(host) ? inPlaceInShared() : inPlace();
    }

    private boolean isShared(HostMemory host) {
        return host.block().orElse(null) instanceof ClSharedMemory shared && shared.device() == this;
    }

    @Override
    public InPlace inPlaceInShared() {
        synchronized (choosing) {
            if (inPlaceInShared == null) {
                inPlaceInShared = InPlaceSelfTest.inShared(this);
            }
            return inPlaceInShared;
        }
    }

    @Override
    public HostBlock allocateShared(long lengthBytes) {
        if (lengthBytes > info().maxAllocationBytes() - PageSize.MAX_BYTES) {
            throw new InPlaceUnavailableException(info().name(), String.format(Locale.ROOT,
                    "its kernels do so in memory that it allocates itself, and heapBytes=%d is more than maxAllocationBytes=%d gives in one piece",
                    lengthBytes, info().maxAllocationBytes()));
        }
        return new ClSharedMemory(this, lengthBytes);
    }

    /// Whether allocations are host memory of ours that the device works in. Only known once the self-test of the copy engines has seen that the driver does so.
    boolean usesHostMemory() {
        synchronized (choosing) {
            return choice != null && choice.name().equals(CopyMode.DIRECT.toString());
        }
    }

    /// The ring towards the device, and what native code has.
    @Override
    public long stagingBytes() {
        return CopyMode.of(copyChoice().name()) == CopyMode.DIRECT ? 0 : (long) StagedCopyEngine.SLOTS * StagedCopyEngine.SLOT_BYTES + NATIVE_STAGING_BYTES;
    }

    @Override
    public Optional<NativeHandles> nativeHandles() {
        CopyMode mode = CopyMode.of(copyChoice().name());
        if (mode == CopyMode.DIRECT) {
            return Optional.of(new NativeHandles(context, handle(), 0, 0, List.of()));
        }
        synchronized (choosing) {
            if (mode == CopyMode.COPY) {
                if (slots == null) {
                    slots = own(() -> new PinnedBuffers(this, NATIVE_STAGING_BYTES));
                }
                return Optional.of(new NativeHandles(context, handle(), 0, NATIVE_STAGING_BYTES, slots.handles()));
            }
            if (staging == null) {
                staging = own(() -> new PinnedMemory(this, NATIVE_STAGING_BYTES));
            }
            return Optional.of(new NativeHandles(context, handle(), staging.addressBytes(), staging.lengthBytes(), List.of()));
        }
    }

    @Override
    public Optional<NativeGather> nativeGather() {
        CopyMode mode = CopyMode.of(copyChoice().name());
        if (mode == CopyMode.DIRECT || scatterAsked() == ScatterMode.COMMANDS) {
            return Optional.empty();
        }
        try {
            GatherKernel made = own(() -> new GatherKernel(this, mode == CopyMode.COPY ? 0 : NativeHandles.slotBytes(0, NATIVE_STAGING_BYTES)));
            return Optional.of(made.handles(scatterAsked() == ScatterMode.AUTO));
        } catch (HmmException e) {
            LOG.debug("what lies apart comes home by a command for each piece: device={}", this, e);
            return Optional.empty();
        }
    }

    @Override
    public void reportTo(Timeline timeline, int number) {
        CommandLog log = new CommandLog(timeline, number, info().name());
        if (options.profiling() && timeline.isTraced()) {
            calibrate(log.clock());
        }
        compute.reportTo(log);
        copy.reportTo(log);
    }

    /// Asks for something small a few times, of which it is known when it was queued; without that the first commands would be the worst placed.
    private void calibrate(DeviceClock clock) {
        try (DeviceMemory scratch = allocate(CALIBRATION_BYTES)) {
            long memory = ((ClMemory) scratch).handle();
            for (int i = 0; i < CALIBRATIONS; i++) {
                long before = System.nanoTime();
                long event = api.enqueueZero(compute.handle(), memory, CALIBRATION_BYTES, 0, CALIBRATION_BYTES, true);
                long after = System.nanoTime();
                try {
                    api.flush(compute.handle());
                    api.waitFor(event);
                    long seen = System.nanoTime();
                    clock.saw(before, api.eventTime(event, Cl.PROFILING_COMMAND_QUEUED), after, api.eventTime(event, Cl.PROFILING_COMMAND_END), seen);
                } finally {
                    api.releaseEvent(event);
                }
            }
        } catch (HmmException e) {
            LOG.debug("the clock of {} is not calibrated", this, e); // some drivers know no times for fills
        }
    }

    @Override
    public DeviceProgram build(Source source, String buildOptions) {
        return own(() -> new ClProgram(this, source, buildOptions));
    }

    /// Whether work-groups at the edges may be smaller than the others: all devices of OpenCL 2 can that, later ones
    /// say whether they do.
    boolean hasSmallerGroups() {
        int version = ClPlatforms.version(api.deviceText(handle(), Cl.DEVICE_VERSION));
        return version >= 30
                ? api.deviceNumber(handle(), Cl.DEVICE_NON_UNIFORM_WORK_GROUP_SUPPORT) != 0
                : version >= 20;
    }

    @Override
    public void close() {
        life.takeAlone();
        try {
            if (released) {
                return;
            }
            closed = true;
            Runnable releaseCompute = compute::release;
            Runnable releaseCopy = copy::release;
            Runnable releaseContext = () -> api.releaseContext(context);
            var cleanup = new Cleanup();
            // Kernels and engines first: once they are closed, nothing is enqueued any more.
            release(cleanup, ClProgram.class);
            release(cleanup, ClCopyEngine.class);
            cleanup.run(compute::drain).run(copy::drain);
            release(cleanup, Owned.class);
            if (cleanup.failure() instanceof OutOfMemoryError e) {
                throw e; // the next call goes on
            }
            released = true;
            cleanup.run(releaseCompute).run(releaseCopy).run(releaseContext).end();
        } finally {
            life.leave();
        }
    }

    private void release(Cleanup cleanup, Class<? extends Owned> kind) {
        List.copyOf(owned).stream().filter(kind::isInstance).forEach(one -> cleanup.run(one::close));
    }

    /// Makes something that this device closes at the latest when it is closed itself.
    ///
    /// @param announced gives it as its constructor leaves it, without anything of the driver's
    <T extends Owned> T own(Supplier<T> announced) {
        life.share();
        try {
            if (closed) {
                throw new IllegalStateException("device is closed: " + this);
            }
            return keep(announced.get());
        } catch (HmmException e) {
            throw named(e);
        } finally {
            life.unshare();
        }
    }

    /// The same for a part of something that this device has already, and that is not closed meanwhile.
    <T extends Owned> T keep(T announced) {
        owned.add(announced);
        try {
            announced.make();
        } catch (RuntimeException | Error e) {
            Parts.closeAfter(e, announced); // as far as it can be, where the Java heap is full: the rest with this device
            throw e;
        }
        return announced;
    }

    /// The same failure, with the name of this device. Out of resources is what drivers say of what is too much for a device, and of everything once it has gone: so it is asked.
    HmmException named(HmmException e) {
        HmmException named = ClStatus.on(this, e);
        boolean mayBeGone = named instanceof OpenClFailedException failed && failed.status() == ClStatus.OUT_OF_RESOURCES;
        return mayBeGone && ClProbe.isGone(api, context, handle(), copy.handle()) ? ClStatus.lost((OpenClFailedException) named) : named;
    }

    void disown(Owned one) {
        owned.remove(one);
    }

    ClApi api() {
        return api;
    }

    ProgramCache programs() {
        return options.programs().on(id.platformName());
    }

    long context() {
        return context;
    }

    long handle() {
        return id.device();
    }

    ClQueue compute() {
        return compute;
    }

    /// One more queue, which keeps times if that of the copies does. The caller's to release.
    ClQueue anotherQueue() {
        return new ClQueue(api, context, handle(), info().name(), options.copyTimes(), false);
    }

    InPlaceMode inPlaceAsked() {
        return options.inPlaceAsked();
    }

    /// Unless it was asked for, no kernel carries pages on a device that is the processor: that copies by itself what a kernel of ours would.
    ScatterMode scatterAsked() {
        ScatterMode asked = options.scatterAsked();
        return asked == ScatterMode.AUTO && info.kind() == DeviceInfo.Kind.CPU ? ScatterMode.COMMANDS : asked;
    }

    ClQueue copy() {
        return copy;
    }

    @Override
    public String toString() {
        return info().name();
    }
}
