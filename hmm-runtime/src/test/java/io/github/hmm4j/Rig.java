package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.Device;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.opencl.ClDevice;
import io.github.hmm4j.device.opencl.ClOptions;
import io.github.hmm4j.device.opencl.CopyMode;
import io.github.hmm4j.emulated.EmulatedGpu;
import io.github.hmm4j.error.InPlaceUnavailableException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.mirror.PlacementMode;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/// A small heap of 4 KiB pages with kernels that work on ints.
///
/// On whatever OpenCL devices there are, or on emulated GPUs with [reins][#gpu]: those copy by read and write commands, and have compiled and used all that a launch needs when the test begins, so
/// that what a test counts, holds and fails is what it asks for. Of two devices both kinds need the JVM of a tag: `two-devices`, or the two of the emulated GPU.
final class Rig implements AutoCloseable {

    static final int PAGE = 4096;
    static final int INTS = PAGE / 4;
    private static final NDRange ITEMS = NDRange.of(64); // there are drivers that end loops early ([FirstDevice#runsLongLoops])

    private static final Source SOURCE = Source.text("rig.cl", """
            #define EACH(i, n) for (int i = get_global_id(0); i < n; i += get_global_size(0))
            kernel void fill(global int *out, int value, int n) { EACH(i, n) out[i] = value; }
            kernel void add(global int *data, int delta, int n) { EACH(i, n) data[i] += delta; }
            kernel void copy(global int *out, const global int *in, int n) { EACH(i, n) out[i] = in[i]; }
            // its signature says nothing
            kernel void copy_freely(global int *out, global int *in, int n) { EACH(i, n) out[i] = in[i]; }
            kernel void locals(global int *out, local int *a, local int *b) {}
            kernel __attribute__((reqd_work_group_size(8, 1, 1))) void eights(global int *out) {}
            kernel void nothing(global int *out) {}
            kernel void two(global int *a, global int *b) { a[0]++; b[0]++; }
            kernel void bump(global uchar *heap, ulong base, ulong pointer) { (*(global int *)(heap + (pointer - base)))++; }
            """);

    final Hmm hmm;
    final ManagedHeap heap;
    private final boolean emulated;
    private final Program program;

    private Rig(boolean emulated, HmmBuilder builder) {
        this.emulated = emulated;
        hmm = builder.open();
        heap = hmm.heap();
        program = hmm.program(SOURCE);
    }

    /// Devices each with a budget of so many pages; the heap is larger, so that pages lie in windows.
    static Rig windows(int devices, int budgetPages) {
        return open(devices, inWindows(budgetPages));
    }

    /// Devices that hold the whole heap.
    static Rig aperture(int devices) {
        return open(devices, builder -> builder.heap(ByteSize.mib(4)));
    }

    /// Devices whose kernels use host pages where they are.
    static Rig inPlace(int devices) {
        return open(devices, Rig::inPlace);
    }

    static Rig open(int devices, UnaryOperator<HmmBuilder> settings) {
        return opened(false, settings.apply(builder(devices)));
    }

    static Rig over(Device device, UnaryOperator<HmmBuilder> settings) {
        return opened(false, settings.apply(common()).device(device));
    }

    /// As [#windows], on emulated GPUs.
    static Rig gpuWindows(int devices, int budgetPages) {
        return gpus(devices, inWindows(budgetPages));
    }

    /// As [#aperture], on emulated GPUs.
    static Rig gpuAperture(int devices) {
        return gpus(devices, builder -> builder.heap(ByteSize.mib(4)));
    }

    /// As [#inPlace], on emulated GPUs.
    static Rig gpuInPlace(int devices) {
        return gpus(devices, Rig::inPlace);
    }

    /// One at a time.
    static Rig gpus(int devices, UnaryOperator<HmmBuilder> settings) {
        EmulatedGpu.reset();
        Rig rig = opened(true, settings.apply(builder(devices).copy(CopyMode.STAGED)));
        rig.warmUp();
        return rig;
    }

    private static UnaryOperator<HmmBuilder> inWindows(int budgetPages) {
        return builder -> builder.heap(ByteSize.mib(64)).budget((long) budgetPages * PAGE);
    }

    private static HmmBuilder inPlace(HmmBuilder builder) {
        return builder.heap(ByteSize.mib(4)).placement(PlacementMode.IN_PLACE);
    }

    private static HmmBuilder builder(int devices) {
        return devices == 1 ? common().device("0") : common().allDevices();
    }

    private static HmmBuilder common() {
        return Hmm.builder().binding(ClBinding.LWJGL).pageSize(PAGE).launchTimeout(Duration.ofSeconds(30));
    }

    private static Rig opened(boolean emulated, HmmBuilder builder) {
        try {
            return new Rig(emulated, builder);
        } catch (InPlaceUnavailableException e) {
            throw FirstDevice.without(e);
        }
    }

    /// One that the caller closes, or the heap that it is given to.
    static ClDevice openDevice() {
        return ClDevice.open(OpenClDevices.api(ClBinding.LWJGL), OpenClDevices.choose(OpenClDevices.list(ClBinding.LWJGL), ""), ClOptions.DEFAULTS);
    }

    /// Programs are compiled, and memory is taken, where they are first needed, by commands that a held engine would hold as well.
    private void warmUp() {
        for (int device = 0; device < hmm.devices().size(); device++) {
            MemorySegment a = filled(1, 0);
            add(a, 1, device).await();
            read(a);
            heap.free(a);
        }
    }

    EmulatedGpu gpu(int index) {
        assertThat(emulated).as("opened on emulated GPUs").isTrue();
        return EmulatedGpu.number(index);
    }

    EmulatedGpu gpu() {
        return gpu(0);
    }

    String deviceName(int index) {
        return device(index).device().info().name();
    }

    HmmDevice device(int index) {
        return hmm.devices().get(index);
    }

    Kernel kernel(String name) {
        return program.kernel(name);
    }

    /// Each work-item adds one to the first int of a page, `first + item * stride`, for which it asks the device's table where the heap is no aperture.
    Kernel bumpPages() {
        return hmm.program(Source.text("bump_pages.cl", """
                #include "hmm.clh"
                kernel void bump_pages(HMM_HEAP, const ulong first, const ulong stride) {
                    HMM_BEGIN;
                    global int *at = HMM_WRITE(int, first + get_global_id(0) * stride);
                    if (!at) return;
                    (*at)++;
                    HMM_END;
                }
                """)).kernel("bump_pages");
    }

    MemorySegment pages(int count) {
        return heap.allocate((long) count * PAGE, 1);
    }

    /// One page of an allocation.
    static MemorySegment page(MemorySegment segment, int index) {
        return segment.asSlice((long) index * PAGE, PAGE);
    }

    static MemorySegment pages(MemorySegment segment, int first, int count) {
        return segment.asSlice((long) first * PAGE, (long) count * PAGE);
    }

    /// Pages that hold `value` in every int, on the host.
    MemorySegment filled(int count, int value) {
        MemorySegment segment = pages(count);
        write(segment, value);
        return segment;
    }

    void write(MemorySegment segment, int value) {
        try (HostView view = heap.view(segment, Access.WRITE)) {
            for (long i = 0; i < segment.byteSize() / 4; i++) {
                view.segment().setAtIndex(JAVA_INT, i, value);
            }
        }
    }

    int[] read(MemorySegment segment) {
        try (HostView view = heap.view(segment, Access.READ)) {
            return view.segment().toArray(JAVA_INT);
        }
    }

    /// The values that occur in a segment, each once.
    int[] values(MemorySegment segment) {
        return IntStream.of(read(segment)).distinct().toArray();
    }

    Launch fill(MemorySegment segment, int value, int device) {
        return kernel("fill").args(Arg.out(segment), value, ints(segment)).launch(ITEMS, device(device));
    }

    Launch add(MemorySegment segment, int delta, int device) {
        return kernel("add").args(segment, delta, ints(segment)).launch(ITEMS, device(device));
    }

    Launch copy(MemorySegment out, MemorySegment in, int device) {
        return kernel("copy").args(Arg.out(out), in, ints(out)).launch(ITEMS, device(device));
    }

    static int ints(MemorySegment segment) {
        return Math.toIntExact(segment.byteSize() / 4);
    }

    long count(Counter counter) {
        return hmm.report().count(counter);
    }

    String codes(MemorySegment segment, int device) {
        return heap.snapshot(segment, device(device)).codes().toString();
    }

    /// Closes the heap; on emulated GPUs nothing of it is left then.
    @Override
    public void close() {
        if (emulated) {
            for (int i = 0; i < hmm.devices().size(); i++) { // a failed test must not hang as well
                gpu(i).clear();
                gpu(i).resume();
            }
        }
        hmm.close();
        if (emulated) {
            assertThat(EmulatedGpu.openObjects()).as("OpenCL objects that are still open").isZero();
        }
    }
}
