package io.github.hmm4j.device.sim;

import io.github.hmm4j.device.BuildOptions;
import io.github.hmm4j.device.CopyEngine;
import io.github.hmm4j.device.Device;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.device.DeviceProgram;
import io.github.hmm4j.error.DeviceLostException;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.timeline.Timeline;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/// A device made of Java threads and host memory, which a test can hold, fail and lose.
///
/// Two variants. **Private**: memory of its own, copies really copy. **Coherent**: [DeviceInfo#coherent()] holds and
/// [#hostMemory(long, long)] gives host pages in place; allocations and copies work as well.
///
/// Threads: any. Its own monitor guards the list of allocations and is a leaf; hooks run without it.
public final class SimDevice implements Device {

    private final DeviceInfo info;
    private final SimKernels kernels;
    private final FaultPlan faults = new FaultPlan();
    private final Map<SimLane, LaneQueue> lanes = new EnumMap<>(SimLane.class);
    private final Set<SimMemory> allocations = new HashSet<>();
    private final AtomicLong openObjects = new AtomicLong();
    private final AtomicLong undefinedReads = new AtomicLong();
    private long usedBytes;
    private volatile Consumer<Operation> submitHook = _ -> {};
    private volatile boolean lost;
    private volatile boolean closed;
    private volatile boolean released;

    private SimDevice(DeviceInfo info, SimKernels kernels) {
        this.info = info;
        this.kernels = kernels;
        for (SimLane lane : SimLane.values()) {
            lanes.put(lane, new LaneQueue(info.name() + "-" + lane));
        }
    }

    public static SimDeviceBuilder builder() {
        return new SimDeviceBuilder();
    }

    static SimDevice open(DeviceInfo info, SimKernels kernels) {
        return new SimDevice(info, kernels);
    }

    @Override
    public DeviceInfo info() {
        return info;
    }

    // ---- the device

    /// Memory that holds `0xDB` in every byte until it is written. Both limits of [DeviceInfo] are enforced.
    @Override
    public DeviceMemory allocate(long lengthBytes) {
        if (lengthBytes <= 0) {
            throw new IllegalArgumentException("lengthBytes=" + lengthBytes + ", must be positive");
        }
        if (lengthBytes > info.maxAllocationBytes()) {
            throw new IllegalArgumentException(
                    "lengthBytes=" + lengthBytes + ", must be at most maxAllocationBytes=" + info.maxAllocationBytes());
        }
        enterOrFail(Operation.ALLOC, "bytes=" + lengthBytes);
        synchronized (this) {
            if (closed) {
                throw new IllegalStateException("device=" + info.name() + " is closed");
            }
            if (lengthBytes > info.memoryBytes() - usedBytes) {
                throw Operation.ALLOC.failure(detail("bytes=" + lengthBytes + ", usedBytes=" + usedBytes));
            }
            SimMemory memory = SimMemory.allocation(this, lengthBytes);
            allocations.add(memory);
            usedBytes += lengthBytes;
            opened();
            return memory;
        }
    }

    @Override
    public DeviceMemory hostMemory(long hostAddressBytes, long lengthBytes) {
        if (!info.coherent()) {
            return Device.super.hostMemory(hostAddressBytes, lengthBytes);
        }
        if (hostAddressBytes <= 0 || lengthBytes <= 0) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "hostAddressBytes=%d, lengthBytes=%d, must be positive",
                    hostAddressBytes, lengthBytes));
        }
        synchronized (this) {
            if (closed) {
                throw new IllegalStateException("device=" + info.name() + " is closed");
            }
            SimMemory memory = SimMemory.host(this, HostBytes.at(hostAddressBytes, lengthBytes));
            allocations.add(memory);
            opened();
            return memory;
        }
    }

    @Override
    public CopyEngine copyEngine(long hostAddressBytes, long lengthBytes) {
        if (hostAddressBytes <= 0 || lengthBytes <= 0) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "hostAddressBytes=%d, lengthBytes=%d, must be positive",
                    hostAddressBytes, lengthBytes));
        }
        ensureOpen();
        opened();
        return new SimCopyEngine(this, hostAddressBytes, lengthBytes);
    }

    /// The program has the registered kernels that `source` defines; `options` are ignored.
    ///
    /// @throws io.github.hmm4j.error.KernelBuildException if the source defines none that is registered
    @Override
    public DeviceProgram build(Source source, String options) {
        Objects.requireNonNull(source, "source");
        BuildOptions.checked(Objects.requireNonNull(options, "options"));
        enterOrFail(Operation.BUILD, "source=" + source.name());
        SimProgram program = SimProgram.build(this, kernels, source, options);
        opened();
        return program;
    }

    /// Resumes what is paused, waits for work in flight, and takes back every allocation. Idempotent; works on a lost
    /// device too.
    @Override
    public void close() {
        closed = true;
        lanes.values().forEach(LaneQueue::close);
        List<SimMemory> left;
        synchronized (this) {
            left = List.copyOf(allocations);
        }
        left.forEach(SimMemory::closeWithDevice);
        released = true;
    }

    // ---- time

    /// Holds the lane: what is running ends, what comes after waits, in flight, until [#resume(SimLane)] or
    /// [#step(SimLane)].
    public void pause(SimLane lane) {
        lane(lane).pause();
    }

    public void resume(SimLane lane) {
        lane(lane).resume();
    }

    /// Lets one more piece of work of a paused lane run, and waits for its end (first for its arrival, if there is
    /// none).
    public void step(SimLane lane) {
        lane(lane).step();
    }

    /// Pieces of work submitted to the lane since the device was opened: a batch of copies, a fill or a launch is one.
    public long submitted(SimLane lane) {
        return lane(lane).submitted();
    }

    /// Pieces of work that have ended, well or badly.
    public long completed(SimLane lane) {
        return lane(lane).completed();
    }

    /// Waits until `count` pieces of work have been submitted to the lane since the device was opened.
    public void awaitSubmitted(SimLane lane, long count) {
        lane(lane).awaitSubmitted(count);
    }

    /// Calls `hook` in the calling thread at the start of every operation except [Operation#WAIT], before it has any
    /// effect. It may block and may use the device, and is then called again for that. What it
    /// throws is thrown by the operation.
    public void onSubmit(Consumer<Operation> hook) {
        submitHook = Objects.requireNonNull(hook, "hook");
    }

    // ---- failures

    /// Makes the next `count` calls of an operation fail, `Integer.MAX_VALUE` for all of them. Calls that are to fail
    /// already are among them.
    public void failNext(Operation operation, int count) {
        faults.failNext(operation, count);
    }

    /// Makes one call of an operation fail, counted from now: 1 is the next.
    public void failAt(Operation operation, long nth) {
        faults.failAt(operation, nth);
    }

    /// Forgets failures asked for that have not struck.
    public void clearFailures() {
        faults.clear();
    }

    /// Calls of an operation since the device was opened, failed ones too; those refused as a mistake of the caller do
    /// not count.
    public long calls(Operation operation) {
        return faults.calls(operation);
    }

    /// Loses the device: every later call fails with [DeviceLostException], and so does the work in flight. Paused
    /// lanes resume to say so. Closing still works.
    public void loseDevice() {
        lost = true;
        lanes.values().forEach(LaneQueue::resume);
    }

    // ---- what it saw

    /// Copies (runs of a batch) that read device memory nobody ever wrote: a mistake of the runtime, for what they
    /// copied is garbage. A launch counts as writing all of its arguments that are not `const`.
    public long undefinedReads() {
        return undefinedReads.get();
    }

    /// Allocations, host windows, slices of allocations, engines, programs and kernels that are open now; none once the
    /// device is closed.
    public long openObjects() {
        return released ? 0 : openObjects.get();
    }

    /// Bytes of device memory that are allocated now.
    public synchronized long usedBytes() {
        return usedBytes;
    }

    // ---- for the parts

    void enterOrFail(Operation operation, String what) {
        if (enter(operation)) {
            throw operation.failure(detail(what));
        }
    }

    /// The start of every operation; true if it is to fail.
    boolean enter(Operation operation) {
        ensureOpen();
        submitHook.accept(operation);
        boolean strikes = faults.strikes(operation);
        if (lost) {
            throw lostAt(operation);
        }
        return strikes;
    }

    /// Whether the end of work submitted now is to fail.
    boolean endIsDoomed() {
        return faults.strikes(Operation.WAIT);
    }

    boolean isLost() {
        return lost;
    }

    DeviceLostException lostAt(Operation operation) {
        return new DeviceLostException(info.name(), operation.call(),
                new OpenClFailedException(operation.call(), -2, "CL_DEVICE_NOT_AVAILABLE", "device=" + info.name()));
    }

    @Override
    public void reportTo(Timeline timeline, int number) {
        CommandLog log = new CommandLog(timeline, number, info.name());
        lanes.values().forEach(lane -> lane.reportTo(log));
    }

    String detail(String what) {
        return what + ", device=" + info.name();
    }

    LaneQueue lane(SimLane lane) {
        return Objects.requireNonNull(lanes.get(Objects.requireNonNull(lane, "lane")));
    }

    /// Checks that memory is this device's and open.
    SimMemory own(DeviceMemory memory, String what) {
        if (!(memory instanceof SimMemory ours) || ours.device() != this) {
            throw new IllegalArgumentException(what + ": memory of another device, device=" + info.name());
        }
        ours.checkOpen(what);
        return ours;
    }

    void ensureOpen() {
        if (closed) {
            throw new IllegalStateException("device=" + info.name() + " is closed");
        }
    }

    void readUndefined() {
        undefinedReads.incrementAndGet();
    }

    void opened() {
        openObjects.incrementAndGet();
    }

    void closedObject() {
        openObjects.decrementAndGet();
    }

    synchronized void freed(SimMemory memory) {
        allocations.remove(memory);
        if (memory.isAllocation()) {
            usedBytes -= memory.lengthBytes();
        }
        closedObject();
    }
}
