package io.github.hmm4j.conformance;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.github.hmm4j.Access;
import io.github.hmm4j.Arg;
import io.github.hmm4j.ByteSize;
import io.github.hmm4j.HmmDevice;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.Launch;
import io.github.hmm4j.Program;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.mirror.PlacementMode;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/// A kernel that takes its time, and something that the program does to its pages meanwhile: whatever that is, and wherever the pages are, the kernel reads what there was when it was
/// launched, and what comes after it finds what it has written.
@Tag("two-devices")
@Timeout(240)
class SlowKernelTest {

    private static final int PAGES = 4;
    private static final int OLD = 1000;
    private static final int ADDED = 7;
    /// About 10 ms: more than it takes to begin whatever must not go on.
    private static final int LOOKS = 5_000_000;

    private static final Source SOURCE = Source.text("slow.cl", """
            uint look(uint looks) {
                uint x = looks;
                for (uint i = 0; i < looks; i++) {
                    x = x * 1664525u + 1013904223u;
                }
                return x == 1u ? 1u : 0u;
            }
            kernel void slow_copy(const global int *in, global int *out, const uint n, const uint looks) {
                uint one = look(looks);
                for (uint i = 0; i < n; i++) {
                    out[i] = in[i] + (int)(one & looks);
                }
            }
            kernel void slow_add(global int *in, const int delta, const uint n, const uint looks) {
                uint one = look(looks);
                for (uint i = 0; i < n; i++) {
                    in[i] += delta + (int)(one & looks);
                }
            }
            """);

    /// Something that is done to pages which hold a ramp from a number on.
    @FunctionalInterface
    private interface Deed {

        /// @return the number from which on the ramp is that they hold afterwards; or [#ZEROS]
        int doTo(Case on, int start);
    }

    private static final int ZEROS = Integer.MIN_VALUE;

    private record Named(String name, Deed deed) {}

    private static final class Case {

        final Rig rig;
        final MemorySegment other; // as many pages
        MemorySegment pages;

        Case(Rig rig) {
            this.rig = rig;
            pages = rig.pages(PAGES);
            other = rig.pages(PAGES);
        }

        HmmDevice device(int index) {
            return rig.device(index);
        }

        void otherHolds(int start) {
            Rig.assertSame(seen(other), Rig.rampOf(other.byteSize(), start));
        }

        /// By a view, which waits for kernels in place as well.
        int[] seen(MemorySegment range) {
            int[] seen = new int[Math.toIntExact(range.byteSize() / 4)];
            try (HostView view = rig.heap.view(range, Access.READ)) {
                MemorySegment.copy(view.segment(), JAVA_INT, 0, seen, 0, seen.length);
            }
            return seen;
        }

        void write(MemorySegment range, int start) {
            try (HostView view = rig.heap.view(range, Access.WRITE)) {
                MemorySegment.copy(MemorySegment.ofArray(Rig.rampOf(range.byteSize(), start)), 0, view.segment(), 0, range.byteSize());
            }
        }
    }

    private static List<Named> deeds() {
        List<Named> deeds = new ArrayList<>();
        for (int index = 0; index < 2; index++) {
            int device = index;
            deeds.add(new Named("kernel_reads_on_" + device, (on, start) -> {
                Launch copy = on.rig.launchCopy(on.device(device), Arg.in(on.pages), on.other);
                on.otherHolds(start);
                copy.await();
                return start;
            }));
            deeds.add(new Named("kernel_adds_on_" + device, (on, start) -> {
                on.rig.launchAdd(on.device(device), on.pages, 5).await();
                return start + 5;
            }));
            deeds.add(new Named("kernel_overwrites_on_" + device, (on, start) -> {
                on.rig.launchFill(on.device(device), Arg.out(on.pages), 31).await();
                return 31;
            }));
            deeds.add(new Named("kernel_overwrites_and_nobody_waits_on_" + device, (on, start) -> {
                on.rig.launchFill(on.device(device), Arg.out(on.pages), 33);
                return 33;
            }));
            deeds.add(new Named("kernel_copies_onto_on_" + device, (on, start) -> {
                on.write(on.other, 77);
                on.rig.launchCopy(on.device(device), Arg.in(on.other), Arg.out(on.pages));
                return 77;
            }));
            deeds.add(new Named("prefetch_to_" + device, (on, start) -> {
                var _ = on.rig.heap.prefetch(on.pages, on.device(device));
                return start;
            }));
            deeds.add(new Named("evict_from_" + device, (on, start) -> {
                on.rig.hmm.evictAll(on.device(device));
                return start;
            }));
            deeds.add(new Named("lease_to_read_and_write_of_" + device, (on, start) -> {
                on.rig.heap.lease(on.device(device), on.pages, Arg.Intent.IN_OUT).close();
                return start;
            }));
        }
        deeds.add(new Named("prefetch_host", (on, start) -> {
            var _ = on.rig.heap.prefetchHost(on.pages);
            return start;
        }));
        deeds.add(new Named("view_to_write", (on, start) -> {
            on.write(on.pages, 55);
            return 55;
        }));
        deeds.add(new Named("view_to_read", (on, start) -> {
            Rig.assertSame(on.seen(on.pages), Rig.rampOf(on.pages.byteSize(), start));
            return start;
        }));
        deeds.add(new Named("heap_fill", (on, start) -> {
            on.rig.heap.fill(on.pages, (byte) 0);
            return ZEROS;
        }));
        deeds.add(new Named("heap_copy_from", (on, start) -> {
            on.rig.heap.copy(on.pages, on.other);
            on.otherHolds(start);
            return start;
        }));
        deeds.add(new Named("heap_copy_to", (on, start) -> {
            on.write(on.other, 66);
            on.rig.heap.copy(on.other, on.pages);
            return 66;
        }));
        deeds.add(new Named("discard", (on, start) -> {
            on.rig.heap.discard(on.pages);
            return ZEROS;
        }));
        deeds.add(new Named("move", (on, start) -> {
            on.pages = on.rig.heap.move(on.pages);
            return start;
        }));
        deeds.add(new Named("protect_and_write", (on, start) -> {
            on.rig.heap.protect(on.pages, Protection.NONE);
            on.rig.heap.protect(on.pages, Protection.READ_WRITE);
            on.write(on.pages, 44);
            return 44;
        }));
        deeds.add(new Named("free_and_allocate", (on, start) -> {
            on.rig.heap.free(on.pages);
            on.pages = on.rig.pages(PAGES);
            on.write(on.pages, 88);
            return 88;
        }));
        return deeds;
    }

    /// By how each of the devices has the pages.
    @TestFactory
    Stream<DynamicTest> whateverComesAfterAKernelComesAfterIt() {
        return Stream.of(Backend.OPENCL_JOCL, Backend.UFFD_LWJGL, Backend.SIGSEGV_LWJGL).flatMap(backend -> Stream.of(PlacementMode.PRIVATE, PlacementMode.IN_PLACE)
                .flatMap(first -> Stream.of(PlacementMode.PRIVATE, PlacementMode.IN_PLACE)
                        .map(second -> dynamicTest(backend + ", " + first + " and " + second, () -> check(backend, first, second)))));
    }

    private static void check(Backend backend, PlacementMode first, PlacementMode second) {
        try (Rig rig = new Rig(backend.builder(2).heap(ByteSize.mib(4)).pageSize(4096).budget(ByteSize.mib(1)))) {
            Program program = rig.hmm.program(SOURCE);
            for (Named named : deeds()) {
                for (boolean shared : new boolean[] {false, true}) {
                    afterAReader(rig, program.kernel("slow_copy"), named, first, second, shared);
                    afterAWriter(rig, program.kernel("slow_add"), named, first, second, shared);
                }
            }
        }
    }

    /// @param shared whether the other device has read the pages before
    private static Case prepared(Rig rig, PlacementMode first, PlacementMode second, boolean shared) {
        Case on = new Case(rig);
        for (MemorySegment segment : List.of(on.pages, on.other)) {
            rig.heap.place(segment, rig.device(0), first);
            rig.heap.place(segment, rig.device(1), second);
        }
        on.write(on.pages, OLD);
        if (shared) {
            rig.launchCopy(rig.device(1), Arg.in(on.pages), on.other).await();
        }
        return on;
    }

    private static void afterAReader(Rig rig, Kernel slow, Named named, PlacementMode first, PlacementMode second, boolean shared) {
        Case on = prepared(rig, first, second, shared);
        MemorySegment result = rig.pages(PAGES);
        Launch launch = slow.args(on.pages, result, ints(on), LOOKS).launch(NDRange.of(1), rig.device(0));
        int end = named.deed.doTo(on, OLD);
        finish(on, named, "after a reader", end);
        launch.await();
        assertThat(on.seen(result)).as("what the kernel read before %s", named.name).isEqualTo(Rig.rampOf(result.byteSize(), OLD));
        rig.heap.free(result);
    }

    private static void afterAWriter(Rig rig, Kernel slow, Named named, PlacementMode first, PlacementMode second, boolean shared) {
        Case on = prepared(rig, first, second, shared);
        Launch launch = slow.args(on.pages, ADDED, ints(on), LOOKS).launch(NDRange.of(1), rig.device(0));
        int end = named.deed.doTo(on, OLD + ADDED);
        finish(on, named, "after a writer", end);
        launch.await();
    }

    private static void finish(Case on, Named named, String after, int end) {
        int[] expected = end == ZEROS ? new int[ints(on)] : Rig.rampOf(on.pages.byteSize(), end);
        assertThat(on.seen(on.pages)).as("%s %s", named.name, after).isEqualTo(expected);
        on.rig.heap.free(on.pages);
        on.rig.heap.free(on.other);
    }

    private static int ints(Case on) {
        return Math.toIntExact(on.pages.byteSize() / 4);
    }
}
