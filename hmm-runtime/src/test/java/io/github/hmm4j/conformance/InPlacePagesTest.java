package io.github.hmm4j.conformance;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.Access;
import io.github.hmm4j.Arg;
import io.github.hmm4j.ByteSize;
import io.github.hmm4j.FirstDevice;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.Launch;
import io.github.hmm4j.Program;
import io.github.hmm4j.account.Direction;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.opencl.InPlaceMode;
import io.github.hmm4j.emulated.EmulatedGpu;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.error.InPlaceUnavailableException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.mirror.Placement;
import io.github.hmm4j.mirror.PlacementMode;
import io.github.hmm4j.mirror.SnapshotCode;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Kernels that use host pages where they are: what that costs, who waits for them, and that pages of several
/// placements agree.
@Timeout(60)
class InPlacePagesTest {

    private static final int PAGES = 100;
    /// Of a kernel that nobody answers: long enough to be met, and it ends by itself.
    private static final int LOOKS = 1 << 27;
    private static final VarHandle WORD = JAVA_INT.varHandle();

    private static HmmBuilder small(Backend backend, int devices) {
        return backend.builder(devices).heap(ByteSize.mib(16)).pageSize(4096).budget(8 * 4096);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_ANY, names = "IN_PLACE_.*")
    void nothingMovesAndNothingTakesTheBudget(Backend backend) {
        try (Rig rig = new Rig(small(backend, 1))) {
            assertThat(rig.device(0).placement()).isEqualTo(Placement.IN_PLACE);
            MemorySegment buffer = rig.ramp(PAGES, 1); // many times the budget
            MemorySegment untouched = rig.pages(PAGES);
            rig.launchAdd(rig.device(0), buffer, 10).await();
            Launch again = rig.launchAdd(rig.device(0), buffer, 100).await();
            assertThat(again.moves().rounds()).isZero();
            rig.launchCopy(rig.device(0), buffer, Arg.out(untouched)).await();
            rig.assertHostSeesRamp(buffer, 111);
            rig.assertHostSeesRamp(untouched, 111);
            rig.launchAdd(rig.device(0), buffer.asSlice(4), 5).await(); // where no pointer can start
            assertThat(rig.read(buffer.asSlice(0, 8))).containsExactly(111, 117);
            for (Direction direction : Direction.values()) {
                assertThat(rig.hmm.report().bytes(direction)).isZero();
            }
            assertThat(rig.device(0).usedBytes()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_ANY, names = "IN_PLACE_.*")
    void protectionsHold(Backend backend) {
        try (Rig rig = new Rig(small(backend, 1))) {
            MemorySegment buffer = rig.ramp(4, 1);
            MemorySegment copy = rig.pages(4);
            rig.launchAdd(rig.device(0), buffer, 1).await();
            rig.heap.protect(buffer, Protection.READ);
            assertThatThrownBy(() -> rig.launchAdd(rig.device(0), buffer, 1)).isInstanceOf(AccessViolationException.class).hasMessageContaining("in place");
            rig.launchCopy(rig.device(0), Arg.in(buffer), copy).await();
            rig.assertHostSeesRamp(copy, 2);
            rig.heap.protect(buffer, Protection.NONE);
            assertThatThrownBy(() -> rig.launchCopy(rig.device(0), Arg.in(buffer), copy)).isInstanceOf(AccessViolationException.class);
        }
    }

    /// A kernel that runs, and waits for the host's word in the first page of these for a while.
    private static Launch talk(Rig rig, MemorySegment pages, int turns, int looks) {
        return rig.hmm.program(Source.resource("in_place.cl")).kernel("take_turns").args(pages, turns, looks).launch(NDRange.of(1), rig.device(0));
    }

    @ParameterizedTest
    @EnumSource(names = {"IN_PLACE_UFFD_LWJGL", "IN_PLACE_SIGSEGV_LWJGL", "IN_PLACE_ADDRESS_UFFD_LWJGL"})
    void hostAndKernelUseAPageAtATime(Backend backend) {
        try (Rig rig = new Rig(small(backend, 1))) {
            MemorySegment line = rig.ramp(1, 0);
            line.fill((byte) 0);
            int turns = 100;
            Launch talk = talk(rig, line, turns, Integer.MAX_VALUE);
            int seen = 0;
            while (seen < turns && !talk.isDone()) {
                int turn = (int) WORD.getVolatile(line, 0L);
                if (turn != seen) {
                    seen = turn;
                    WORD.setVolatile(line, 4L, turn);
                }
                Thread.onSpinWait();
            }
            talk.await();
            int answered = line.get(JAVA_INT, 16);
            assumeTrue(answered == turns || line.get(JAVA_INT, 24) == Integer.MAX_VALUE, "kernels of this device end loops early, and the host had no processor until then");
            assertThat(answered).isEqualTo(turns);
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_ANY, names = "IN_PLACE_.*")
    void viewsWaitForKernels(Backend backend) {
        try (Rig rig = new Rig(small(backend, 1))) {
            MemorySegment line = rig.pages(1);
            Launch talk = talk(rig, line, 1, LOOKS);
            try (var view = rig.heap.view(line, Access.READ)) {
                assertThat(talk.isDone()).isTrue();
                assertThat(view.segment().get(JAVA_INT, 8)).isEqualTo(3);
                assertThat(view.segment().get(JAVA_INT, 16)).isZero(); // nobody has answered
            }
        }
    }

    /// Its memory would be somebody else's, or a hole that is written to.
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_ANY, names = "IN_PLACE_.*")
    void whoeverTakesMemoryAwayWaitsForKernels(Backend backend) {
        try (Rig rig = new Rig(small(backend, 1))) {
            MemorySegment discarded = rig.ramp(3, 7);
            Launch talk = talk(rig, discarded, 1, LOOKS);
            rig.heap.discard(discarded);
            assertThat(talk.isDone()).isTrue();
            Rig.assertZeros(rig.read(discarded));

            talk = talk(rig, discarded, 1, LOOKS);
            rig.heap.free(rig.page(discarded, 2, 1));
            assertThat(talk.isDone()).isTrue();
            rig.heap.free(rig.page(discarded, 0, 2));

            MemorySegment moved = rig.pages(2);
            talk = talk(rig, moved, 1, LOOKS);
            moved = rig.heap.move(moved);
            assertThat(talk.isDone()).isTrue();
            assertThat(rig.read(moved.asSlice(8, 4))).containsExactly(3);
        }
    }

    /// On one device one region is in place and another private, and either may change.
    @ParameterizedTest
    @EnumSource(names = {"UFFD_LWJGL", "OPENCL_JOCL", "IN_PLACE_UFFD_LWJGL", "IN_PLACE_ADDRESS_CHECKED_JOCL", "IN_PLACE_BUFFER_LWJGL"})
    void regionsOfOneDeviceInBothWays(Backend backend) {
        assumeTrue(FirstDevice.worksInHostMemory(), "kernels of this device use no host pages");
        try (Rig rig = new Rig(backend.builder(1).heap(ByteSize.mib(4)).pageSize(4096))) {
            MemorySegment inPlace = rig.ramp(4, 1);
            MemorySegment apart = rig.pages(4);
            rig.placeInPlace(inPlace.asSlice(100, 4), rig.device(0));
            rig.heap.place(apart, rig.device(0), PlacementMode.PRIVATE);
            rig.launchCopy(rig.device(0), Arg.in(inPlace), apart).await();
            rig.launchAdd(rig.device(0), inPlace, 10).await();
            rig.assertAllPages(rig.device(0), apart, SnapshotCode.DEVICE_PRIVATE_LOCAL_WRITE);
            rig.assertAllPages(rig.device(0), inPlace, SnapshotCode.WRITE);
            rig.heap.place(inPlace, rig.device(0), PlacementMode.PRIVATE);
            rig.heap.place(apart, rig.device(0), PlacementMode.IN_PLACE);
            rig.launchAdd(rig.device(0), inPlace, 10).await();
            rig.launchAdd(rig.device(0), apart, 10).await();
            rig.assertAllPages(rig.device(0), inPlace, SnapshotCode.DEVICE_PRIVATE_LOCAL_WRITE);
            rig.assertAllPages(rig.device(0), apart, SnapshotCode.WRITE);
            rig.assertHostSeesRamp(inPlace, 21);
            rig.assertHostSeesRamp(apart, 11);
            rig.heap.place(apart, rig.device(0), PlacementMode.AUTO);
            rig.launchAdd(rig.device(0), apart, 10).await();
            rig.assertAllPages(rig.device(0), apart, backend.isInPlace() ? SnapshotCode.WRITE : SnapshotCode.DEVICE_PRIVATE_LOCAL_WRITE);
        }
    }

    /// A kernel there writes what the other one reads where it is, in turns and without waiting in between.
    @Tag("two-devices")
    @ParameterizedTest
    @EnumSource(names = {"UFFD_LWJGL", "OPENCL_JOCL", "SIGSEGV_LWJGL"})
    void inPlaceOnOneDeviceAndPrivateOnAnother(Backend backend) {
        assumeTrue(FirstDevice.worksInHostMemory(), "kernels of this device use no host pages");
        try (Rig rig = new Rig(backend.builder(2).heap(ByteSize.mib(4)).pageSize(4096))) {
            MemorySegment buffer = rig.ramp(16, 1);
            MemorySegment copy = rig.pages(16);
            rig.placeInPlace(buffer, rig.device(0));
            for (int round = 0; round < 20; round++) {
                rig.launchAdd(rig.device(0), buffer, 1);
                rig.launchAdd(rig.device(1), buffer, 10);
                rig.launchCopy(rig.device(round % 2), Arg.in(buffer), copy);
            }
            rig.launchAdd(rig.device(0), buffer, 1).await();
            rig.launchCopy(rig.device(1), Arg.in(buffer), copy).await();
            rig.assertHostSeesRamp(buffer, 222);
            rig.assertHostSeesRamp(copy, 222);
            assertThat(rig.hmm.report().bytes(Direction.TO_DEVICE)).isPositive();
        }
    }

    /// No word says which of them has a page: they take turns, also where they share no more than the page.
    @Tag("two-devices")
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_ANY, names = "IN_PLACE_(?!BUFFER).*")
    void kernelsInPlaceOnTwoDevicesTakeTurns(Backend backend) {
        try (Rig rig = new Rig(small(backend, 2))) {
            MemorySegment line = rig.pages(1);
            MemorySegment seen = rig.pages(2);
            Launch talk = talk(rig, line, 1, LOOKS);
            rig.launchCopy(rig.device(1), Arg.in(line), seen.asSlice(4096)).await();
            assertThat(talk.isDone()).isTrue();
            assertThat(rig.read(seen.asSlice(4096 + 8, 4))).containsExactly(3);

            MemorySegment counted = rig.ramp(16, 1);
            for (int round = 0; round < 99; round++) {
                rig.launchAdd(rig.device(round % 2), counted, 1);
            }
            rig.launchAdd(rig.device(1), counted, 1).await(); // and with it all before it; a touch waits for none
            rig.assertHostSeesRamp(counted, 101);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"IN_PLACE_UFFD_LWJGL", "IN_PLACE_ADDRESS_UFFD_LWJGL"})
    void kernelsFollowPointersInPlace(Backend backend) {
        try (Rig rig = new Rig(small(backend, 1))) {
            assertThat(rig.device(0).hasAperture()).isTrue();
            MemorySegment words = rig.pages(PAGES);
            Source source = Source.text("follow.cl", """
                    #include "hmm.clh"
                    kernel void follow(HMM_HEAP, const ulong at, global ulong *sum) {
                        ulong next = at;
                        while (next) {
                            global ulong *node = (global ulong *)HMM_PTR(uchar, next);
                            sum[0] += ++node[1];
                            next = node[0];
                        }
                    }
                    """);
            for (int i = 0; i < PAGES; i++) {
                words.set(JAVA_LONG, 4096L * i, i + 1 == PAGES ? 0 : words.address() + 4096L * (i + 1));
                words.set(JAVA_LONG, 4096L * i + 8, i);
            }
            MemorySegment sum = rig.pages(1);
            rig.hmm.program(source).kernel("follow").args(Arg.heap(Arg.inOut(words)), words.address(), sum).launch(NDRange.of(1)).await();
            assertThat(sum.get(JAVA_LONG, 0)).isEqualTo(PAGES * (PAGES + 1L) / 2);
            assertThat(words.get(JAVA_LONG, 8)).isEqualTo(1);
            assertThat(rig.hmm.report().bytes(Direction.TO_DEVICE)).isZero();
        }
    }

    /// By address it starts where its type may, so nothing is copied but what would not be aligned for that.
    @ParameterizedTest
    @EnumSource(names = {"IN_PLACE_ADDRESS_UFFD_LWJGL", "IN_PLACE_ADDRESS_CHECKED_JOCL", "IN_PLACE_BUFFER_LWJGL"})
    void argumentsStartWhereTheirTypesMay(Backend backend) {
        try (Rig rig = new Rig(small(backend, 1))) {
            assertThat(rig.device(0).placementWhy()).contains("addresses");
            MemorySegment seen = rig.pages(1);
            MemorySegment buffer = rig.ramp(1, 1);
            Program program = rig.hmm.program(Source.text("starts.cl", """
                    struct pair { int a; int b; };
                    kernel void ints(global int *data, global ulong *at) { at[0] = (ulong)data; data[0]++; }
                    kernel void fours(global int4 *data, global ulong *at) { at[0] = (ulong)data; data[0]++; }
                    kernel void pairs(global struct pair *data, global ulong *at) { at[0] = (ulong)data; data[0].a++; }
                    kernel void chars(global const char *data, global ulong *at) { at[0] = (ulong)data + data[0]; }
                    """));
            for (String kernel : List.of("ints", "fours", "pairs")) {
                program.kernel(kernel).args(buffer.asSlice(4, 64), seen).launch(NDRange.of(1), rig.device(0)).await();
                long at = (long) rig.read(seen.asSlice(4, 4))[0] << 32 | rig.read(seen.asSlice(0, 4))[0] & 0xFFFF_FFFFL;
                assertThat(at % 128).as(kernel).isEqualTo(kernel.equals("ints") ? 4 : 0);
            }
            assertThat(rig.read(buffer.asSlice(0, 28))).containsExactly(1, 2 + 3, 3 + 1, 4 + 1, 5 + 1, 6, 7);
            program.kernel("chars").args(buffer.asSlice(8 + 1), seen).launch(NDRange.of(1), rig.device(0)).await();
            assertThat(rig.read(seen.asSlice(0, 4))[0] & 127).isEqualTo(9);
        }
    }

    @Tag("emulated-gpu")
    @Test
    void aDeviceWithMemoryOfItsOwnRefusesByName() {
        EmulatedGpu.reset();
        assertThatThrownBy(() -> Hmm.builder().placement(PlacementMode.IN_PLACE).open()).isInstanceOf(InPlaceUnavailableException.class).hasMessageContaining("emulated");
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(4)).placement(PlacementMode.AUTO).open()) {
            assertThat(hmm.device().placement()).isNotEqualTo(Placement.IN_PLACE);
            assertThat(hmm.device().placementWhy()).isNotEmpty();
            MemorySegment pages = hmm.heap().allocate(4096);
            assertThatThrownBy(() -> hmm.heap().place(pages, hmm.device(), PlacementMode.IN_PLACE)).isInstanceOf(InPlaceUnavailableException.class);
        }
        Rig.assertObjectsLeft(0, "opening");
    }

    /// Memory of the driver's is all there from the start, holds what it held before, and is never given back: so zeros are written.
    @ParameterizedTest
    @EnumSource(names = {"IN_PLACE_BUFFER_LWJGL", "IN_PLACE_BUFFER_JOCL"})
    void memoryOfTheDriversReadsAsZerosWhenItIsNew(Backend backend) {
        for (int heap = 0; heap < 2; heap++) { // the second may get what the first has had
            try (Rig rig = new Rig(small(backend, 1))) {
                assertThat(rig.device(0).placementWhy()).contains("that the device has allocated");
                MemorySegment all = rig.pages(3000);
                Rig.assertZeros(rig.read(all));
                rig.heap.free(all);
                for (int round = 0; round < 100; round++) {
                    MemorySegment pages = rig.pages(PAGES + round);
                    Rig.assertZeros(rig.read(pages));
                    rig.launchAdd(rig.device(0), pages, 1 + round).await();
                    assertThat(rig.read(pages)).containsOnly(1 + round);
                    rig.heap.discard(rig.page(pages, 1, 1));
                    Rig.assertZeros(rig.read(rig.page(pages, 1, 1)));
                    rig.heap.free(pages);
                }
            }
        }
    }

    /// It cannot be mapped where the program's pointers point, is of one piece, and is for kernels of one device.
    @Test
    void memoryOfTheDriversHasLimits() {
        Backend backend = Backend.IN_PLACE_BUFFER_LWJGL;
        assumeTrue(FirstDevice.offers(InPlaceMode.BUFFER), "kernels of this device are given no host pages in this way");
        assertThatThrownBy(() -> backend.builder(1).heap(ByteSize.mib(4)).hostAccess(HostAccess.Mode.SIGSEGV).open()).isInstanceOf(InPlaceUnavailableException.class).hasMessageContaining("checked access");
        long tooMuch = 1L << 40;
        assertThatThrownBy(() -> backend.builder(1).heap(tooMuch).open()).isInstanceOf(InPlaceUnavailableException.class).hasMessageContaining("maxAllocationBytes=");
        try (Hmm hmm = backend.builder(1).heap(ByteSize.mib(4)).placement(PlacementMode.PRIVATE).open()) {
            MemorySegment pages = hmm.heap().allocate(4096);
            assertThatThrownBy(() -> hmm.heap().place(pages, hmm.device(), PlacementMode.IN_PLACE)).isInstanceOf(InPlaceUnavailableException.class);
        }
    }

    @Test
    void whatCannotBeIsRefusedByName() {
        assertThatThrownBy(() -> Hmm.builder().deviceFaults().placement(PlacementMode.IN_PLACE).open()).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("deviceFaults");
        assertThatThrownBy(() -> PlacementMode.of("remote")).hasMessageContaining("placement=remote");
    }
}
