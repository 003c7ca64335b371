package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.Device;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.sim.SimDevice;
import io.github.hmm4j.device.sim.SimKernels;
import io.github.hmm4j.device.sim.SimLane;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/// A small heap of 4 KiB pages on simulated devices, whose kernels work on ints.
final class Rig implements AutoCloseable {

    static final int PAGE = 4096;
    static final int INTS = PAGE / 4;

    private static final String FILL = "kernel void fill(global int *out, int value, int n)";
    private static final String ADD = "kernel void add(global int *data, int delta, int n)";
    private static final String COPY = "kernel void copy(global int *out, const global int *in, int n)";
    private static final String COPY_FREELY = "kernel void copy_freely(global int *out, global int *in, int n)"; // its signature says nothing
    private static final String TABLES = "kernel void tables(global int *out, local int *a, local int *b, read_only image2d_t picture)";
    private static final String LOCALS = "kernel void locals(global int *out, local int *a, local int *b)";
    private static final String EIGHTS = "kernel __attribute__((reqd_work_group_size(8, 1, 1))) void eights(global int *out)";
    private static final String NOTHING = "kernel void nothing(global int *out)";
    private static final String TWO = "kernel void two(global int *a, global int *b)";
    private static final String BUMP = "kernel void bump(global uchar *heap, ulong base, ulong pointer)";
    private static final Source SOURCE = Source.text("rig.cl", String.join(" {}\n", FILL, ADD, COPY, COPY_FREELY, TABLES, LOCALS, EIGHTS, NOTHING, TWO, BUMP) + " {}\n");

    final List<SimDevice> sims;
    final Hmm hmm;
    final ManagedHeap heap;
    private final Program program;

    private Rig(List<SimDevice> sims, UnaryOperator<Device> seenAs, HmmBuilder builder) {
        this.sims = sims;
        sims.forEach(sim -> builder.device(seenAs.apply(sim)));
        hmm = builder.open();
        heap = hmm.heap();
        program = hmm.program(SOURCE);
    }

    /// Private devices, each with a budget of so many pages; the heap is larger, so that pages lie in windows.
    static Rig windows(int devices, int budgetPages) {
        return open(devices, false, builder -> builder.heap(ByteSize.mib(64)).budget((long) budgetPages * PAGE));
    }

    /// Private devices that hold the whole heap.
    static Rig aperture(int devices) {
        return open(devices, false, builder -> builder.heap(ByteSize.mib(4)));
    }

    static Rig coherent(int devices) {
        return open(devices, true, builder -> builder.heap(ByteSize.mib(4)));
    }

    static Rig open(int devices, boolean coherent, UnaryOperator<HmmBuilder> settings) {
        List<SimDevice> sims = new ArrayList<>();
        for (int i = 0; i < devices; i++) {
            sims.add(sim(i, coherent));
        }
        return of(sims, settings);
    }

    static Rig of(List<SimDevice> sims, UnaryOperator<HmmBuilder> settings) {
        return new Rig(sims, UnaryOperator.identity(), settings.apply(builder()));
    }

    /// One private device that does not behave.
    static Rig odd(UnaryOperator<Device> seenAs) {
        return new Rig(List.of(sim(0, false)), seenAs, builder().heap(ByteSize.mib(4)));
    }

    private static HmmBuilder builder() {
        return Hmm.builder().pageSize(PAGE).launchTimeout(Duration.ofSeconds(30));
    }

    static SimDevice sim(int index, boolean coherent) {
        return SimDevice.builder().name("sim" + index).coherent(coherent).kernels(kernels()).open();
    }

    /// A private device that allocates no more than so many pages in one piece.
    static SimDevice limited(int maxAllocationPages) {
        return SimDevice.builder().maxAllocation((long) maxAllocationPages * PAGE).kernels(kernels()).open();
    }

    private static SimKernels kernels() {
        return new SimKernels()
                .add(FILL, (args, _) -> {
                    for (int i = 0; i < args.intValue(2); i++) {
                        args.memory(0).setAtIndex(JAVA_INT, i, args.intValue(1));
                    }
                })
                .add(ADD, (args, _) -> {
                    for (int i = 0; i < args.intValue(2); i++) {
                        args.memory(0).setAtIndex(JAVA_INT, i, args.memory(0).getAtIndex(JAVA_INT, i) + args.intValue(1));
                    }
                })
                .add(COPY, (args, _) -> MemorySegment.copy(args.memory(1), 0, args.memory(0), 0, 4L * args.intValue(2)))
                .add(COPY_FREELY, (args, _) -> MemorySegment.copy(args.memory(1), 0, args.memory(0), 0, 4L * args.intValue(2)))
                .add(TABLES, (_, _) -> {})
                .add(LOCALS, (_, _) -> {})
                .add(EIGHTS, (_, _) -> {})
                .add(NOTHING, (_, _) -> {})
                .add(TWO, (args, _) -> {
                    args.memory(0).setAtIndex(JAVA_INT, 0, args.memory(0).getAtIndex(JAVA_INT, 0) + 1);
                    args.memory(1).setAtIndex(JAVA_INT, 0, args.memory(1).getAtIndex(JAVA_INT, 0) + 1);
                })
                .add(BUMP, (args, _) -> {
                    long at = args.longValue(2) - args.longValue(1);
                    MemorySegment image = args.memory(0);
                    image.set(JAVA_INT, at, image.get(JAVA_INT, at) + 1);
                });
    }

    SimDevice sim() {
        return sims.getFirst();
    }

    HmmDevice device(int index) {
        return hmm.devices().get(index);
    }

    Kernel kernel(String name) {
        return program.kernel(name);
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
        return kernel("fill").args(Arg.out(segment), value, ints(segment)).launch(NDRange.of(1), device(device));
    }

    Launch add(MemorySegment segment, int delta, int device) {
        return kernel("add").args(segment, delta, ints(segment)).launch(NDRange.of(1), device(device));
    }

    Launch copy(MemorySegment out, MemorySegment in, int device) {
        return kernel("copy").args(Arg.out(out), in, ints(out)).launch(NDRange.of(1), device(device));
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

    @Override
    public void close() {
        sims.forEach(sim -> List.of(SimLane.values()).forEach(sim::resume)); // a failed test must not hang as well
        hmm.close();
    }
}
