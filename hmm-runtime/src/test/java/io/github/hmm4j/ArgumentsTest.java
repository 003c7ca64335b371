package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.util.List;
import java.util.NoSuchElementException;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a launch refuses, and that it names it. Nothing moves for a launch that is refused.
@Timeout(60)
class ArgumentsTest {

    private final Rig rig = Rig.windows(1, 16);
    private final MemorySegment a = rig.filled(2, 1);

    @AfterEach
    void nothingHasMoved() {
        assertThat(rig.heap.residency(a).hostBytes()).isEqualTo(2L * Rig.PAGE);
        rig.close();
    }

    private AbstractThrowableAssert<?, ? extends Throwable> refused(String kernel, Object... arguments) {
        return assertThatThrownBy(() -> rig.kernel(kernel).args(arguments).launch(NDRange.of(1)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void theNumberOfArguments() {
        refused("add", a, 1).hasMessageContaining("kernel=add").hasMessageContaining("arguments=2").hasMessageContaining("parameters=3");
        refused("add", a, 1, 2, 3).hasMessageContaining("argument 3=3").hasMessageContaining("parameters=3");
        refused("add").hasMessageContaining("arguments=0");
    }

    /// What `HMM_HEAP` declares is one argument, however many parameters it is on the device.
    @Test
    void whatStandsForTheHeapCountsAsOne() {
        Source source = Source.text("follow.cl", """
                #include "hmm.clh"
                kernel void follow(HMM_HEAP_CONST, const ulong first, global int *out, const float factor) { HMM_BEGIN; *out = (int)factor; HMM_END; }
                """);
        String parameters = "parameters=4 [Arg.heap, ulong first, int* out, float factor]";
        try (Rig aperture = Rig.aperture(1)) {
            for (Rig one : List.of(rig, aperture)) {
                Kernel kernel = one.hmm.program(source).kernel("follow");
                MemorySegment out = one.pages(1);
                Arg heap = Arg.heap(Arg.in(one.pages(1)));
                refused(kernel, heap, 0L, out).hasMessage("kernel=follow, arguments=3, " + parameters);
                refused(kernel, heap, 0L, out, 1f, 2).hasMessage("kernel=follow, argument 4=2 is one too many, " + parameters);
                refused(kernel, heap, out, out, 1f).hasMessage("kernel=follow, argument 1 is for ulong first: it does not take memory; pass a number; of a pointer into the heap that is segment.address()");
                refused(kernel, heap, 0L, out, 0.1).hasMessageContaining("kernel=follow, argument 3: float factor cannot hold Double 0.1");
                refused(kernel, heap, 0L, 0L, 1f).hasMessageContaining("kernel=follow, argument 2 is for int* out");
                refused(kernel, 0L, out, 1f).hasMessage("kernel=follow, argument 0 is 0: for HMM_HEAP or HMM_HEAP_CONST pass Arg.heap(ranges) with what may be followed, " + parameters);
                refused(kernel, out, 0L, out, 1f).hasMessageContaining("kernel=follow, argument 0 is " + out).hasMessageContaining("Arg.heap(ranges)");
                refused(kernel, Arg.heap(Arg.inOut(out.asReadOnly())), 0L, out, 1f).hasMessageContaining("kernel=follow, argument 0: the kernel writes there");
                refused(kernel, Arg.heap(Arg.in(MemorySegment.ofArray(new int[1]))), 0L, out, 1f).hasMessageContaining("kernel=follow, argument 0: this memory is not of this heap");
            }
        }
    }

    /// Also where it lies behind its allocation, at addresses that are nobody's or another's.
    @Test
    void whereNothingIsToBeFollowedTheKernelRuns() {
        Source source = Source.text("none.cl", """
                #include "hmm.clh"
                kernel void none(HMM_HEAP_CONST, global int *out) { HMM_BEGIN; *out = 7; HMM_END; }
                """);
        try (Rig aperture = Rig.aperture(1)) {
            for (Rig one : List.of(rig, aperture)) {
                MemorySegment out = one.pages(1);
                MemorySegment last = one.pages(1);
                Arg behind = Arg.heap(Arg.inOut(last.asSlice(last.byteSize())), Arg.in(out.asSlice(out.byteSize())));
                for (Arg heap : List.of(Arg.heap(), behind, Arg.heap(Arg.out(out.asSlice(8, 0))))) {
                    one.write(out, 3);
                    one.hmm.program(source).kernel("none").args(heap, Arg.out(out)).launch(NDRange.of(1)).await();
                    assertThat(one.read(out)[0]).isEqualTo(7);
                }
            }
        }
    }

    private static AbstractThrowableAssert<?, ? extends Throwable> refused(Kernel kernel, Object... arguments) {
        return assertThatThrownBy(() -> kernel.args(arguments).launch(NDRange.of(1))).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void nullSegments() {
        Source source = Source.text("item.cl", """
                #include "hmm.clh"
                kernel void item(HMM_HEAP_CONST, const ulong first) { HMM_BEGIN; if (!HMM_READ(int, first)) return; HMM_END; }
                """);
        Kernel kernel = rig.hmm.program(source).kernel("item");
        refused(kernel, Arg.heap(Arg.in(a), Arg.in(MemorySegment.NULL)), a.address())
                .hasMessage("kernel=item, argument 0: this segment is null, address=0: allocate memory for it (heap.allocate, heap.allocateFrom), or leave it out");
        refused(kernel, Arg.heap(Arg.in(a)), MemorySegment.NULL).hasMessageContaining("kernel=item, argument 1 is for ulong first: it does not take memory");
        for (long address : new long[] {0, 8}) {
            assertThatThrownBy(() -> kernel.args(Arg.heap(Arg.in(a)), address).launch(NDRange.of(1)))
                    .isInstanceOfSatisfying(AccessViolationException.class, e -> assertThat(e.addressBytes()).isEqualTo(address))
                    .hasMessageContaining("kernel=item, refused read: address=0x" + address).hasMessageContaining("null").hasMessageContaining("kernels test for 0 before they ask");
        }
        assertThatThrownBy(() -> rig.heap.prefetch(MemorySegment.NULL.reinterpret(8), rig.device(0))).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("is null");
    }

    @Test
    void theKindsOfArguments() {
        refused("add", 1, 1, 1).hasMessageContaining("argument 0").hasMessageContaining("a value");
        refused("add", a, a, 1).hasMessageContaining("argument 1").hasMessageContaining("memory");
        refused("add", a, Arg.local(4), 1).hasMessageContaining("local memory");
        refused("add", "a", 1, 1).hasMessageContaining("java.lang.String");
        refused("add", a, BigInteger.TEN, 1)
                    .hasMessage("kernel=add, argument 1: 10 is a java.math.BigInteger, must be a Byte, Short, Integer,"
                            + " Long, Float or Double");
        assertThatThrownBy(() -> Arg.heap(Arg.local(4))).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("lengthBytes=4");
    }

    @Test
    void sayWhatToPassInstead() {
        refused("add", a.address(), 1, 1)
                    .hasMessage("kernel=add, argument 0 is for int* data: it does not take a value;"
                            + " pass a managed segment");
        refused("add", a, a, 1)
                    .hasMessage("kernel=add, argument 1 is for int delta: it does not take memory; pass a number");
        refused("locals", a, 64, 64)
                    .hasMessage("kernel=locals, argument 1 is for int* a: it does not take a value;"
                            + " pass Arg.local(lengthBytes)");
        refused("add", new int[1], 1, 1).hasMessageContaining("argument 0 is a int[]")
                    .hasMessageContaining("heap.allocateFrom");
        assertThatThrownBy(() -> rig.heap.free(MemorySegment.ofArray(new int[1])))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("not of this heap");
        assertThatThrownBy(() -> rig.heap.free(a.asSlice(4, 4))).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("neither an allocation nor whole pages");
        assertThatThrownBy(() -> Hmm.builder().pageSize(5000))
                    .hasMessage("pageSize=5000, must be a power of two from 4096 to 2097152");
        assertThatThrownBy(() -> Hmm.builder().pageSize((1L << 32) + 4096))
                    .hasMessageStartingWith("pageSize=4294971392, must be");
        try (Rig aperture = Rig.aperture(1)) {
            assertThatThrownBy(() -> aperture.kernel("nothing").args(Arg.heap()).launch(NDRange.of(1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("kernel=nothing, argument 0: Arg.heap stands for the two parameters that HMM_HEAP or"
                            + " HMM_HEAP_CONST declares, which it has not, parameters=[int* out]");
        }
        try (Hmm hostOnly = Hmm.builder().hostOnly().open()) {
            assertThatThrownBy(hostOnly::device).isInstanceOf(NoSuchElementException.class)
                    .hasMessageContaining("hostOnly");
        }
    }

    /// [ValuesTest] has those that are taken.
    @Test
    void valuesThatTheTypeDoesNotHave() {
        refused("add", a, 1L << 33, 1).hasMessageContaining("kernel=add, argument 1: int delta cannot hold Long 8589934592 without loss");
        refused("add", a, 1, 2.5f).hasMessageContaining("kernel=add, argument 2: int n cannot hold Float 2.5 without loss");
        refused("bump", a, -1, 0L).hasMessageContaining("ulong base cannot hold Integer -1");
        refused("add", a, Arg.vector(1, 2), 1).hasMessageContaining("kernel=add, argument 1 is for int delta: it does not take a vector of 2");
        refused("add", a, Arg.value(MemorySegment.ofArray(new long[1])), 1).hasMessageContaining("int delta")
                .hasMessageContaining("valueBytes=8");
        refused("add", Arg.value(MemorySegment.ofArray(new long[1])), 1, 1).hasMessageContaining("int* data")
                .hasMessageContaining("a value");
        assertThatThrownBy(() -> Arg.vector(1, 2, 3, 4, 5)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("components=5");
        assertThatThrownBy(() -> Arg.value(MemorySegment.ofArray(new int[0])))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("valueBytes=0");
    }

    @Test
    void readOnlySegmentsForWhatTheKernelWrites() {
        MemorySegment readOnly = a.asReadOnly();
        refused("add", readOnly, 1, 1).hasMessageContaining("kernel=add, argument 0").hasMessageContaining("read-only");
        refused("add", readOnly.asSlice(0, Rig.PAGE), 1, 1).hasMessageContaining("read-only");
        refused("add", Arg.out(readOnly), 1, 1).hasMessageContaining("kernel=add, argument 0").hasMessageContaining("read-only");
        refused("add", Arg.inOut(readOnly), 1, 1).hasMessageContaining("read-only");
        refused("copy", readOnly, a, 1).hasMessageContaining("kernel=copy, argument 0").hasMessageContaining("read-only");
        assertThatThrownBy(() -> rig.kernel("copy_freely").writes("out").args(readOnly, a, 1).launch(NDRange.of(1)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("read-only");
    }

    @Test
    void readOnlySegmentsForWhatTheHostWrites() {
        MemorySegment readOnly = a.asReadOnly();
        assertThatThrownBy(() -> rig.heap.view(readOnly, Access.WRITE)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("read-only");
        assertThatThrownBy(() -> rig.heap.sharedView(readOnly, Access.WRITE)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("read-only");
        assertThatThrownBy(() -> rig.heap.discard(readOnly)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("read-only");
        rig.heap.view(readOnly, Access.READ).close();
        assertThat(rig.values(a)).containsExactly(1);
        assertThat(rig.heap.move(rig.pages(1).asReadOnly()).isReadOnly()).isTrue();
    }

    @Test
    void outputsThatTheSignatureForbids() {
        refused("copy", a, Arg.out(rig.pages(1)), 1).hasMessageContaining("kernel=copy, argument 1").hasMessageContaining("an output");
    }

    @Test
    void memoryForAnImage() {
        Kernel tables = rig.hmm.program(Source.text("tables.cl", "kernel void tables(global int *out, local int *a, local int *b, read_only image2d_t picture) {}")).kernel("tables");
        for (Object picture : new Object[] {a, 0L}) {
            assertThatThrownBy(() -> tables.args(a, Arg.local(4), Arg.local(4), picture).launch(NDRange.of(1))).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("kernel=tables, argument 3 is for image2d_t picture: images, samplers, pipes and queues cannot be passed here");
        }
    }

    @Test
    void moreLocalMemoryThanThereIs() {
        assertThatThrownBy(() -> Arg.local(0)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("lengthBytes=0");
        long most = rig.device(0).device().info().localMemoryBytes();
        assertThatThrownBy(() -> rig.kernel("locals").args(a, Arg.local(most), Arg.local(4)).launch(NDRange.of(1)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("kernel=locals").hasMessageContaining("CL_DEVICE_LOCAL_MEM_SIZE=" + most);
        assertThatThrownBy(() -> rig.kernel("locals").args(a, Arg.local(Long.MAX_VALUE), Arg.local(Long.MAX_VALUE)).launch(NDRange.of(1)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("CL_DEVICE_LOCAL_MEM_SIZE=" + most);
    }

    @Test
    void workGroupsThatTheKernelCannotHave() {
        int most = rig.device(0).device().info().maxWorkGroupSize();
        assertThatThrownBy(() -> rig.kernel("nothing").args(a).launch(NDRange.of(2L * most).local(2L * most))).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("kernel=nothing, range=[%1$d]/[%1$d]", 2 * most).hasMessageContaining("CL_DEVICE_MAX_WORK_ITEM_SIZES=[" + most + ", ");
        assertThatThrownBy(() -> rig.kernel("nothing").args(a).launch(NDRange.of(most, 2).local(most, 2))).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("CL_KERNEL_WORK_GROUP_SIZE=" + most);
        assertThatThrownBy(() -> rig.kernel("nothing").args(a).launch(NDRange.of(6, 10).local(2, 4)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("kernel=nothing: global=[6, 10] is no multiple of local=[2, 4]")
                        .hasMessageContaining("-cl-std=CL2.0").hasMessageContaining("NDRange.covering");
        assertThatThrownBy(() -> rig.kernel("eights").args(a).launch(NDRange.of(16).local(4))).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("kernel=eights").hasMessageContaining("reqd_work_group_size=[8, 1, 1]");
    }

    @Test
    void aKernelSaysWhatItTakes() {
        assertThat(rig.kernel("copy").parameters()).extracting("typeName", "name", "isConst").containsExactly(tuple("int*", "out", false), tuple("int*", "in", true), tuple("int", "n", false));
        assertThat(rig.kernel("eights").limits(rig.device(0)).requiredGroup()).containsExactly(8L, 1L, 1L);
        assertThat(rig.kernel("nothing").limits(rig.device(0)).groupItems()).isEqualTo(rig.device(0).device().info().maxWorkGroupSize());
    }

    @Test
    void memoryThatIsNotManaged() {
        try (Arena arena = Arena.ofConfined()) {
            refused("add", arena.allocate(64), 1, 1).hasMessageContaining("kernel=add").hasMessageContaining("argument 0").hasMessageContaining("heap.allocate");
        }
        refused("add", MemorySegment.ofArray(new int[4]), 1, 1).hasMessageContaining("heap.allocate");
        refused("add", null, 1, 1).hasMessageContaining("kernel=add, argument 0 is null").hasMessageContaining("Arg.nullPointer()");
        refused("add", a, Arg.nullPointer(), 1).hasMessageContaining("does not take a pointer");
        MemorySegment freed = rig.pages(1);
        rig.heap.free(freed);
        refused("add", freed, 1, 1).hasMessageContaining("not within one managed region");
    }

    /// A copy would be made of the one, and the other writes the same bytes.
    @Test
    void slicesThatADeviceCannotPointToBesideOthersOfTheSameBytes() {
        refused("two", a.asSlice(4, 64), a).hasMessageContaining("kernel=two, argument 0").hasMessageContaining("multiple of " + rig.device(0).device().info().baseAlignmentBytes() + " bytes")
                .hasMessageContaining("device=" + rig.deviceName(0));
    }

    @Test
    void theHeapAsAnArgumentWithoutAnAperture() {
        assertThatThrownBy(() -> rig.kernel("bump").args(Arg.heap(Arg.inOut(a)), 0L).launch(NDRange.of(1)))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("no aperture").hasMessageContaining("heapBytes=");
    }

    @Test
    void devicesOfAnotherHeap() {
        try (Rig other = Rig.windows(1, 16)) {
            HmmDevice foreign = other.device(0);
            var call = rig.kernel("add").args(a, 1, 1);
            assertThatThrownBy(() -> call.launch(NDRange.of(1), foreign)).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("another heap");
            assertThatThrownBy(() -> rig.heap.prefetch(a, foreign)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> rig.heap.snapshot(a, foreign)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> rig.hmm.evictAll(foreign)).isInstanceOf(IllegalArgumentException.class);
            assertThat(other.count(Counter.LAUNCHES)).isZero();
        }
    }

    @Test
    void rangesThatAreNone() {
        assertThatThrownBy(NDRange::of).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("dimensions=0");
        assertThatThrownBy(() -> NDRange.of(1, 1, 1, 1)).hasMessageContaining("dimensions=4");
        assertThatThrownBy(() -> NDRange.of(4, 0)).hasMessageContaining("[4, 0]");
        assertThatThrownBy(() -> NDRange.of(10).local(0)).hasMessageContaining("local=[0]");
        assertThatThrownBy(() -> NDRange.of(10).local(5, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThat(NDRange.covering(new long[] {10}, 4).global()).containsExactly(12);
        assertThatThrownBy(() -> NDRange.of(10).offset(1, 1)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("offset=[1, 1] and global=[10] differ in dimensions");
        assertThatThrownBy(() -> NDRange.of(4, 4).offset(0, -1)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("offset=[0, -1] of global=[4, 4]");
        assertThatThrownBy(() -> NDRange.of(10).offset(Long.MAX_VALUE - 9)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("2^63");
        long large = 1L << 62;
        assertThatThrownBy(() -> NDRange.of(large, 2)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("global=[4611686018427387904, 2], must be fewer than 2^63 work-items in all");
        assertThatThrownBy(() -> NDRange.of(large, large)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> NDRange.of(8, 8).local(large, 4)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("in whole work-groups of local=[4611686018427387904, 4]");
        assertThatThrownBy(() -> NDRange.covering(new long[] {Long.MAX_VALUE}, 64))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("local=[64]");
        assertThat(NDRange.of(large).items()).isEqualTo(large);
        assertThat(NDRange.of(1 << 30, 1 << 30, 7).itemsOfWholeGroups()).isEqualTo(7 * (1L << 60));
        NDRange part = NDRange.of(12, 10).offset(5, 7).local(4, 4);
        assertThat(part.offset()).containsExactly(5, 7);
        assertThat(part.itemsOfWholeGroups()).isEqualTo(12 * 12);
        assertThat(part).hasToString("[12, 10]/[4, 4]+[5, 7]").isNotEqualTo(part.offset(0, 0))
                .isEqualTo(NDRange.of(12, 10).local(4, 4).offset(5, 7));
        assertThat(part.offset(0, 0)).isEqualTo(NDRange.of(12, 10).local(4, 4));
    }
}
