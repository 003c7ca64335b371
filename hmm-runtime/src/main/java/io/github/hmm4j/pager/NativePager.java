package io.github.hmm4j.pager;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.account.Accounts;
import io.github.hmm4j.device.CopyEngine;
import io.github.hmm4j.device.Device;
import io.github.hmm4j.device.FrameMemory;
import io.github.hmm4j.device.NativeHandles;
import io.github.hmm4j.device.opencl.ClStatus;
import io.github.hmm4j.error.HostAccessUnavailableException;
import io.github.hmm4j.error.SystemCallFailedException;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ExtentTable;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.space.AddressSpace;
import io.github.hmm4j.space.PageRange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A heap's native part: it serves the faults of the program's loads and stores, and makes every claim that others must wait for.
///
/// Owns native threads, unless access is checked: then there are no faults. Threads: any may call; [#close] is the last call.
public final class NativePager implements AutoCloseable {

    /// Where a test can stop whoever comes by, in the order of `enum hmm_step`.
    public enum Step { FETCH_CLAIMED, FETCH_COPIED, FETCH_MAPPED, LAUNCH_PUBLISHED, LAUNCH_CHECKED, FAULT_NOTICED, FORBID_DECIDED, CROSSING, DEVICE_REFUSED }

    private static final int EBUSY = 16;
    private static final int EUSERS = 87;
    private static final int ENOSPC = 28;
    private static final AtomicInteger OPEN = new AtomicInteger();

    private final HostAccess access;
    private final AddressSpace space;
    private final long handle;
    private boolean closed;
    private volatile boolean mayBeWritten;

    /// Opens it as the last thing, so that nothing is open for which there is no object to close it.
    private NativePager(Ladder.Choice choice, AddressSpace space, PageTable table, boolean openCl, long aheadBytes, Duration touchTimeout) {
        access = choice.access();
        this.space = space;
        handle = open(choice.rung(), space, table, openCl, aheadBytes, touchTimeout);
    }

    /// To be asked before devices are opened, which takes long and would be for nothing.
    ///
    /// @throws HostAccessUnavailableException if there is no native part that fits
    public static void requireNativePart() {
        Ladder.requireNativePart();
    }

    /// Chooses the way to reach a heap's memory, and starts serving its faults, if there are to be any.
    ///
    /// @param wanted       null: the best there is
    /// @param devices      all devices of the heap, which are told apart by [#add] later
    /// @param aheadBytes   most that one touch brings along
    /// @param touchTimeout how long a touch waits for launches before it becomes an error; zero: for ever
    /// @throws HostAccessUnavailableException if what is wanted cannot be had, or too many heaps are open
    public static NativePager open(HostAccess.@Nullable Mode wanted, AddressSpace space, PageTable table, List<Device> devices, long aheadBytes,
            Duration touchTimeout) {
        return new NativePager(Ladder.choose(wanted, devices), space, table, !devices.isEmpty(), aheadBytes, touchTimeout);
    }

    /// Whether the host reaches pages of a heap with these devices through views only.
    ///
    /// @throws HostAccessUnavailableException as [#open]
    public static boolean isChecked(HostAccess.@Nullable Mode wanted, List<Device> devices) {
        return Ladder.choose(wanted, devices).rung() == Rung.CHECKED;
    }

    private static long open(Rung rung, AddressSpace space, PageTable table, boolean openCl, long aheadBytes, Duration touchTimeout) {
        try (Arena arena = Arena.ofConfined()) {
            long[] words = Arrays.copyOf(
                    new long[] {
                        PagerCalls.ABI, rung.ordinal(), space.pageSize().shift(), space.pageCount(), space.baseBytes(), space.host().alias().address(),
                        space.host().descriptor(), table.addressBytes(), table.changesAddressBytes(), space.regionStartsAddressBytes(),
                        space.host().backedAddressBytes(), aheadBytes, touchTimeout.toNanos(), CopyEngine.threads()
                    },
                    PagerCalls.CONFIG_WORDS);
            for (PagerCalls.Cl function : PagerCalls.Cl.values()) {
                words[PagerCalls.CONFIG_WORDS - PagerCalls.Cl.values().length + function.ordinal()] = openCl ? function.address().orElseThrow() : 0;
            }
            MemorySegment opened = arena.allocate(JAVA_LONG);
            int result = PagerCalls.open(arena.allocateFrom(JAVA_LONG, words), opened);
            if (-result == EUSERS) {
                throw new HostAccessUnavailableException(
                        String.format(Locale.ROOT, "%d heaps are open, and that is the most: close one", OPEN.get()));
            }
            if (result != 0) {
                throw new SystemCallFailedException(rung.text(), -result, "capacityBytes=" + space.capacityBytes());
            }
            OPEN.incrementAndGet();
            return opened.get(JAVA_LONG, 0);
        }
    }

    /// Makes a device known, in the order of their numbers. Its tables must outlive this.
    public void add(DeviceMirror mirror) {
        NativeHandles handles = mirror.device().nativeHandles().orElseThrow();
        DeviceMirror.NativeTables tables = mirror.nativeTables();
        FrameMemory.NativeTables frames = mirror.memory().nativeTables();
        try (Arena arena = Arena.ofConfined()) {
            LongStream words = Stream.of(LongStream.of(handles.context(), handles.device()), extents(tables.frameOfPage()), extents(tables.pageOfFrame()), extents(tables.regionOfFrame()),
                    LongStream.of(tables.lastUse(), tables.held(), tables.blockUse(), frames.chunkStarts(), frames.chunkAt(), frames.memoryOfChunk(), frames.hostOfChunk(), handles.staging(), handles.stagingBytes()),
                    handles.slots().stream().mapToLong(Long::longValue)).flatMapToLong(some -> some);
            int result = PagerCalls.addDevice(handle, arena.allocateFrom(JAVA_LONG, Arrays.copyOf(words.toArray(), PagerCalls.DEVICE_WORDS))); // a device may have no slots
            if (result > 0) {
                throw ClStatus.failure(-result, "clCreateCommandQueue", "device=" + mirror);
            }
            if (result != 0) {
                throw new SystemCallFailedException("hmm_add_device", -result, "device=" + mirror);
            }
        }
    }

    private static LongStream extents(ExtentTable.Addresses table) {
        return LongStream.of(table.extents(), table.entries(), table.step(), table.blockShift());
    }

    /// Makes a device one whose kernels fault: whatever they touch of its memory, which is as large as the heap, is brought when it is touched.
    ///
    /// @throws HostAccessUnavailableException if that cannot be noticed here
    /// @throws IllegalArgumentException       if the budget has no room for what one instruction of each of its threads may touch
    public void letFault(DeviceMirror mirror) {
        if (access.mode() != HostAccess.Mode.UFFD && access.mode() != HostAccess.Mode.SIGSEGV) {
            throw new HostAccessUnavailableException("deviceFaults needs userfaultfd or SIGSEGV, and hostAccess=%s: %s".formatted(access.mode(), access.why()));
        }
        mirror.aperture().allocate(mirror.memory().capacityFrames(), mirror.memory().capacityFrames()); // addresses; memory comes with faults
        long range = mirror.memory().memoryOf(0).hostAddressBytes();
        if (range == 0) {
            throw new HostAccessUnavailableException("deviceFaults needs a device that works in host memory: device=" + mirror.deviceName());
        }
        int threads = mirror.device().info().computeUnits();
        long budgetPages = space.pageSize().pageOf(mirror.budgetBytes());
        int result = PagerCalls.faultDevice(handle, mirror.index(), range, budgetPages, threads);
        if (-result == ENOSPC) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "deviceFaults: budgetBytes=%d is too little, at least %d: %d pages of %d bytes, for what one instruction of each of %d threads can touch",
                    mirror.budgetBytes(), space.pageSize().bytesFor(PagerCalls.leastBudget(threads)), PagerCalls.leastBudget(threads), space.pageSize().bytes(), threads));
        }
        if (result != 0) {
            throw new SystemCallFailedException("watching a range", -result, String.format(Locale.ROOT, "deviceFaults, device=%s, threads=%d",
                    mirror, threads));
        }
    }

    /// Brings home all that a device has whose kernels fault.
    public void takeHome(DeviceMirror mirror, PageRange pages) {
        int result = PagerCalls.takeHome(handle, mirror.index(), pages.first(), pages.end());
        if (result != 0) {
            throw NativeFailure.systemCall("bringing pages home", -result, "device=" + mirror + ", pages=" + pages);
        }
    }

    /// Lets so many pages come along with a fault of a kernel at most.
    public void setAlong(DeviceMirror mirror, long most) {
        require(PagerCalls.setAlong(handle, mirror.index(), most), mirror);
    }

    /// The pages that a device has whose kernels fault, those that came first first.
    public long[] there(DeviceMirror mirror) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pages = arena.allocate(JAVA_LONG, space.pageSize().pageOf(mirror.budgetBytes()));
            long count = Math.min(pages.byteSize() / Long.BYTES, PagerCalls.there(handle, mirror.index(), pages));
            return pages.asSlice(0, count * Long.BYTES).toArray(JAVA_LONG);
        }
    }

    /// These make room before all others, in this order, as far as they are still there.
    public void goFirst(DeviceMirror mirror, long[] pages) {
        try (Arena arena = Arena.ofConfined()) {
            require(PagerCalls.goFirst(handle, mirror.index(), arena.allocateFrom(JAVA_LONG, pages)), mirror);
        }
    }

    private static void require(int result, DeviceMirror mirror) {
        if (result != 0) {
            throw new IllegalStateException("kernels of " + mirror + " do not fault: " + result);
        }
    }

    public HostAccess access() {
        return access;
    }

    long handle() {
        return handle;
    }

    /// Adds what was counted since the last call to a heap's accounts.
    public void drainCounts(Accounts accounts) {
        NativeCounts.drain(handle, accounts, space.pageSize().bytes());
    }

    /// Whether the native part is gone: nothing may be asked of it any more.
    public boolean isClosed() {
        return closed;
    }

    /// Whether a command of a lost device may still write to the heap's memory although the pager is closed: then that must stay.
    public boolean mayBeWritten() {
        return mayBeWritten;
    }

    /// For tests: stops whoever comes to a step, until it is disarmed.
    public void arm(Step step, boolean armed) {
        PagerCalls.armStep(handle, step.ordinal(), armed);
    }

    /// For tests: waits until somebody is stopped at a step.
    ///
    /// @return false after `millis` milliseconds
    public boolean awaitStopped(Step step, long millis) {
        return PagerCalls.awaitStep(handle, step.ordinal(), millis);
    }

    /// Stops serving faults and takes the program's mapping away. Nobody may touch it afterwards. Waits for launches, and for as long as can be believed in for commands of a lost device. Idempotent.
    ///
    /// @throws SystemCallFailedException if the mapping is still there; all else is closed
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            int result = PagerCalls.close(handle);
            OPEN.decrementAndGet();
            mayBeWritten = result == -EBUSY;
            if (result != 0 && !mayBeWritten) {
                throw new SystemCallFailedException("taking the program's mapping away", -result,
                        "capacityBytes=" + space.capacityBytes());
            }
        }
    }
}
