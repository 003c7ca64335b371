package io.github.hmm4j.conformance;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.Access;
import io.github.hmm4j.Arg;
import io.github.hmm4j.ByteSize;
import io.github.hmm4j.FirstDevice;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.HmmDevice;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.Launch;
import io.github.hmm4j.ManagedHeap;
import io.github.hmm4j.Program;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.emulated.EmulatedGpu;
import io.github.hmm4j.error.HostAccessUnavailableException;
import io.github.hmm4j.error.InPlaceUnavailableException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.mirror.Placement;
import io.github.hmm4j.mirror.PlacementMode;
import io.github.hmm4j.mirror.SnapshotCode;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.opentest4j.TestAbortedException;

/// An open heap with the verbs of the scenarios: what the kernel's tests say with `ioctl`, `mmap` and a load or store.
///
/// Owns the heap. Threads: any, as the heap itself.
final class Rig implements AutoCloseable {

    private static final int GROUP_ITEMS = 64;
    private static final long PATIENCE_NANOS = 10_000_000_000L;

    final Hmm hmm;
    final ManagedHeap heap;
    private final Kernel copy;
    private final Kernel fill;
    private final Kernel add;
    private volatile int seen; // so that no compiler finds that nobody looks

    Rig(HmmBuilder builder) {
        hmm = open(builder);
        heap = hmm.heap();
        Program program = hmm.program(Source.resource("access.cl"));
        copy = program.kernel("copy_ints");
        fill = program.kernel("fill_ramp");
        add = program.kernel("add_ints");
    }

    private static Hmm open(HmmBuilder builder) {
        try {
            return builder.open();
        } catch (HostAccessUnavailableException e) {
            throw new TestAbortedException(e.getMessage(), e);
        } catch (InPlaceUnavailableException e) {
            throw FirstDevice.without(e);
        }
    }

    HmmDevice device(int index) {
        return hmm.devices().get(index);
    }

    /// The same device as a test holds it; only of a backend that has reins.
    EmulatedGpu gpu(int index) {
        return EmulatedGpu.number(index);
    }

    long count(Counter counter) {
        return hmm.report().count(counter);
    }

    int pageBytes() {
        return heap.pageSize().bytes();
    }

    // ---- memory

    MemorySegment pages(int count) {
        return heap.allocate((long) count * pageBytes(), 1);
    }

    /// Pages `[first, first + count)` of an allocation.
    MemorySegment page(MemorySegment buffer, int first, int count) {
        return buffer.asSlice((long) first * pageBytes(), (long) count * pageBytes());
    }

    /// Pages that the host has written: int i is `start + i`.
    MemorySegment ramp(int count, int start) {
        MemorySegment buffer = pages(count);
        writeRamp(buffer, start);
        return buffer;
    }

    /// From now on kernels of the device use these pages where they are.
    void placeInPlace(MemorySegment range, HmmDevice device) {
        try {
            heap.place(range, device, PlacementMode.IN_PLACE);
        } catch (InPlaceUnavailableException e) {
            throw FirstDevice.without(e);
        }
    }

    // ---- touches by the host

    boolean isTransparent() {
        return hmm.hostAccess().mode().isTransparent();
    }

    /// Whether kernels of OpenCL devices use host pages where they are, unless a region is advised otherwise: then a
    /// touch does not wait for them.
    boolean isInPlace() {
        return hmm.devices().stream().anyMatch(device -> device.placement() == Placement.IN_PLACE);
    }

    /// Whether kernels bring their pages by touching them: then nobody waits for one that uses a page, but who awaits it, frees its pages, forbids them to it or moves them.
    boolean isFaulting() {
        return hmm.devices().stream().anyMatch(device -> device.placement() == Placement.FAULTING);
    }

    /// Whether kernels can go through a page table of their device.
    boolean isPaging() {
        return hmm.devices().stream().allMatch(device -> device.placement() == Placement.WINDOWS);
    }

    /// Random ranges for kernels start at multiples of this. Kernels that fault get no copies, so there it is what their devices want; elsewhere some GPUs want more, and get a copy.
    int argumentBytes() {
        return isFaulting() ? hmm.devices().stream().mapToInt(device -> device.info().baseAlignmentBytes()).max().orElseThrow() : 128;
    }

    /// What a device whose kernels fault must have room for, and so must each quota.
    static int leastFaultingPages() {
        try (Hmm any = Hmm.builder().heap(ByteSize.mib(2)).open()) {
            return 33 * any.device().info().computeUnits();
        }
    }

    /// The one way in which the host touches managed memory: ordinary loads and stores on the range itself, or, with checked access, a view of it.
    void onHost(MemorySegment range, Access access, Consumer<MemorySegment> loadsAndStores) {
        if (isTransparent()) {
            loadsAndStores.accept(range);
            return;
        }
        try (var view = heap.view(range, access)) {
            loadsAndStores.accept(view.segment());
        }
    }

    void writeRamp(MemorySegment range, int start) {
        onHost(range, Access.WRITE, ints -> {
            for (long i = 0; i < range.byteSize() / 4; i++) {
                ints.setAtIndex(JAVA_INT, i, start + (int) i);
            }
        });
    }

    void write(MemorySegment range, int[] values) {
        onHost(range, Access.WRITE, ints -> MemorySegment.copy(values, 0, ints, JAVA_INT, 0, values.length));
    }

    int[] read(MemorySegment range) {
        int[] seen = new int[Math.toIntExact(range.byteSize() / 4)];
        onHost(range, Access.READ, ints -> MemorySegment.copy(ints, JAVA_INT, 0, seen, 0, seen.length));
        return seen;
    }

    /// Looks at a byte of each page.
    void touch(MemorySegment range) {
        onHost(range, Access.READ, bytes -> {
            for (long at = 0; at < bytes.byteSize(); at += pageBytes()) {
                seen = bytes.get(JAVA_BYTE, at);
            }
        });
    }

    // ---- touches by a device

    /// `HMM_DMIRROR_READ`: what a kernel reads, brought over in memory of its own; the range is faulted in one round at most.
    int[] dread(HmmDevice device, MemorySegment range) {
        MemorySegment copied = heap.allocate(range.byteSize(), 1);
        try {
            oneRound(launchCopy(device, range, copied)).await();
            return read(copied);
        } finally {
            heap.free(copied);
        }
    }

    /// `HMM_DMIRROR_WRITE`: a kernel writes int i as `start + i`, in one fault round at most.
    void dwrite(HmmDevice device, MemorySegment range, int start) {
        oneRound(launchFill(device, range, start)).await();
    }

    Launch launchCopy(HmmDevice device, MemorySegment from, MemorySegment to) {
        return launchCopy(device, from, (Object) to);
    }

    /// @param from, to segments or [Arg]s
    Launch launchCopy(HmmDevice device, Object from, Object to) {
        int n = ints(to);
        return copy.args(from, to, n).launch(itemsFor(n), device);
    }

    Launch launchFill(HmmDevice device, Object range, int start) {
        int n = ints(range);
        return fill.args(range, start, 1, n).launch(itemsFor(n), device);
    }

    Launch launchAdd(HmmDevice device, Object range, int delta) {
        int n = ints(range);
        return add.args(range, delta, n).launch(itemsFor(n), device);
    }

    /// Groups of one size, whatever the length: a driver may compile a kernel anew for each size of a group.
    private static NDRange itemsFor(int ints) {
        return NDRange.covering(new long[] {ints}, GROUP_ITEMS);
    }

    private static int ints(Object argument) {
        MemorySegment segment = argument instanceof Arg.Memory(var memory, var _) ? memory : (MemorySegment) argument;
        return Math.toIntExact(segment.byteSize() / 4);
    }

    private static Launch oneRound(Launch launch) {
        assertThat(launch.moves().rounds()).as("fault rounds").isLessThanOrEqualTo(1);
        return launch;
    }

    // ---- expectations

    /// What `length` bytes of a ramp hold.
    static int[] rampOf(long lengthBytes, int start) {
        return IntStream.range(start, start + Math.toIntExact(lengthBytes / 4)).toArray();
    }

    void assertHostSeesRamp(MemorySegment range, int start) {
        assertSame(read(range), rampOf(range.byteSize(), start));
    }

    void assertDeviceSeesRamp(HmmDevice device, MemorySegment range, int start) {
        assertSame(dread(device, range), rampOf(range.byteSize(), start));
    }

    /// Says where the first difference is, and not all that is the same.
    static void assertSame(int[] actual, int[] expected) {
        int at = Arrays.mismatch(actual, expected);
        if (at >= 0) {
            throw new AssertionError("int %d of %d is %s, expected %s".formatted(at, expected.length,
                    at < actual.length ? actual[at] : "missing", at < expected.length ? expected[at] : "missing"));
        }
    }

    static void assertZeros(int[] actual) {
        assertSame(actual, new int[actual.length]);
    }

    List<SnapshotCode> snap(HmmDevice device, MemorySegment range) {
        return heap.snapshot(range, device).codes();
    }

    void assertAllPages(HmmDevice device, MemorySegment range, SnapshotCode code) {
        assertThat(snap(device, range)).containsOnly(code);
    }

    // ---- the end

    /// Waits until no more OpenCL objects are left than so many. The driver calls back late, and has the event of a command itself until then.
    static void assertObjectsLeft(long count, String after) {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (EmulatedGpu.openObjects() != count && System.nanoTime() - deadline < 0) {
            Thread.onSpinWait();
        }
        assertThat(EmulatedGpu.openObjects()).as("OpenCL objects that are left after %s", after).isEqualTo(count);
    }

    @Override
    public void close() {
        hmm.close();
    }
}
