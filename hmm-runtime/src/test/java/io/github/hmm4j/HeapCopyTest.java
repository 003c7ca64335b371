package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.account.Direction;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.error.InPlaceUnavailableException;
import io.github.hmm4j.error.KernelBuildException;
import io.github.hmm4j.mirror.PlacementMode;
import io.github.hmm4j.pager.HostAccess.Mode;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.opentest4j.TestAbortedException;

/// Copying and filling within the heap.
@Timeout(120)
class HeapCopyTest {

    private static final int PAGE = 4096;

    private static Hmm openCl(Mode mode, long budgetPages) {
        return Hmm.builder().heap(ByteSize.mib(32)).pageSize(PAGE).budget(budgetPages * PAGE).hostAccess(mode).open();
    }

    private static Hmm inPlace() {
        try {
            return Hmm.builder().heap(ByteSize.mib(2)).pageSize(PAGE).placement(PlacementMode.IN_PLACE).open();
        } catch (InPlaceUnavailableException e) {
            throw FirstDevice.without(e);
        }
    }

    private static Hmm withoutKernels() {
        return Hmm.builder().heap(ByteSize.mib(32)).pageSize(PAGE).budget(300L * PAGE).device(OddDevice.with("build", (_, arguments) -> {
            throw new KernelBuildException(String.valueOf(arguments[0]), "odd", "", "it compiles nothing");
        })).open();
    }

    private static Stream<Arguments> heaps() {
        return Stream.<Arguments>of(
                Arguments.of("hardly any room", (Supplier<Hmm>) () -> openCl(Mode.CHECKED, 3)),
                Arguments.of("in place", (Supplier<Hmm>) HeapCopyTest::inPlace),
                Arguments.of("a device without these kernels", (Supplier<Hmm>) HeapCopyTest::withoutKernels),
                Arguments.of("host only", (Supplier<Hmm>) () -> Hmm.builder().hostOnly().heap(ByteSize.mib(2)).pageSize(PAGE).open()),
                Arguments.of("userfaultfd", (Supplier<Hmm>) () -> openCl(Mode.UFFD, 300)),
                Arguments.of("userfaultfd, aperture", (Supplier<Hmm>) () -> openCl(Mode.UFFD, 20_000)),
                Arguments.of("SIGSEGV", (Supplier<Hmm>) () -> openCl(Mode.SIGSEGV, 300)),
                Arguments.of("checked", (Supplier<Hmm>) () -> openCl(Mode.CHECKED, 300)));
    }

    /// Three allocations, and what must be in them.
    static final class Oracle {

        private final Hmm hmm;
        private final ManagedHeap heap;
        private final Random random;
        private final MemorySegment[] segments = new MemorySegment[3];
        private final byte[][] bytes = new byte[3][];

        Oracle(Hmm hmm, long seed) {
            this.hmm = hmm;
            heap = hmm.heap();
            random = new Random(seed);
            for (int i = 0; i < segments.length; i++) {
                bytes[i] = new byte[random.nextInt(1, 40 * PAGE)];
                random.nextBytes(bytes[i]);
                segments[i] = heap.allocateFrom(JAVA_BYTE, bytes[i]);
            }
        }

        void step() {
            int a = random.nextInt(segments.length);
            int b = random.nextInt(segments.length);
            int most = Math.min(bytes[a].length, bytes[b].length);
            int count = random.nextInt(4) == 0 ? random.nextInt(Math.min(most, 200) + 1) : random.nextInt(most + 1);
            int at = random.nextInt(3) == 0 ? 0 : random.nextInt(bytes[a].length - count + 1);
            int to = random.nextInt(3) == 0 ? 0 : random.nextInt(bytes[b].length - count + 1);
            switch (random.nextInt(6)) {
                case 0, 1 -> {
                    byte value = (byte) random.nextInt();
                    heap.fill(segments[a].asSlice(at, count), value);
                    Arrays.fill(bytes[a], at, at + count, value);
                }
                case 2, 3 -> {
                    heap.copy(segments[a].asSlice(at, count), segments[b].asSlice(to, count));
                    System.arraycopy(bytes[a], at, bytes[b], to, count);
                }
                default -> move(segments[a].asSlice(at, count));
            }
        }

        private void move(MemorySegment range) {
            if (hmm.devices().isEmpty() || random.nextInt(3) == 0) {
                heap.prefetchHost(range);
            } else if (range.byteSize() <= PAGE || hmm.device().budgetBytes() > 100 * PAGE) {
                heap.prefetch(range, hmm.devices().get(random.nextInt(hmm.devices().size())));
            }
        }

        void check() {
            for (int i = 0; i < segments.length; i++) {
                try (HostView view = heap.view(segments[i], Access.READ)) {
                    assertThat(view.segment().toArray(JAVA_BYTE)).isEqualTo(bytes[i]);
                }
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("heaps")
    void bytesAreRightWhereverTheyAre(String name, Supplier<Hmm> open) {
        check(open);
    }

    @Tag("two-devices")
    @Test
    void bytesAreRightOnTwoDevices() {
        check(() -> Hmm.builder().allDevices().heap(ByteSize.mib(32)).pageSize(PAGE).budget(300L * PAGE).open());
    }

    private static void check(Supplier<Hmm> open) {
        long seed = Long.getLong("hmm.seed", System.nanoTime());
        try (Hmm hmm = open.get()) {
            Oracle oracle = new Oracle(hmm, seed);
            for (int i = 0; i < 80; i++) {
                oracle.step();
                if (i % 10 == 0) {
                    oracle.check();
                }
            }
            oracle.check();
        } catch (TestAbortedException e) {
            throw e;
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("seed=" + seed, e);
        }
    }

    private static long bytesMoved(Hmm hmm) {
        return hmm.report().bytes(Direction.TO_DEVICE) + hmm.report().bytes(Direction.TO_HOST);
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void whatIsOnADeviceIsFilledAndCopiedThere(Mode mode) {
        try (Hmm hmm = openCl(mode, 300)) {
            ManagedHeap heap = hmm.heap();
            MemorySegment a = heap.allocateFrom(JAVA_BYTE, new byte[60 * PAGE + 7]);
            MemorySegment b = heap.allocate(60 * PAGE + 7);
            heap.prefetch(a, hmm.device());
            long before = bytesMoved(hmm);
            heap.fill(a.asSlice(3, 50 * PAGE), (byte) 5);
            heap.fill(a, (byte) 6);
            heap.copy(a, b); // which has never been anywhere
            heap.copy(a.asSlice(1, 11 * PAGE), b.asSlice(2, 11 * PAGE));
            assertThat(bytesMoved(hmm)).isEqualTo(before);
            assertThat(heap.residency(a).onDevice(hmm.device())).isEqualTo(61 * PAGE);
            assertThat(heap.residency(b).onDevice(hmm.device())).isEqualTo(61 * PAGE);
            try (HostView view = heap.view(b, Access.READ)) {
                assertThat(view.segment().toArray(JAVA_BYTE)).containsOnly((byte) 6);
            }
        }
    }

    /// Old contents of whole pages are dead, wherever they are.
    @Test
    void whatIsOverwrittenIsNotFetched() {
        try (Hmm hmm = openCl(Mode.CHECKED, 300)) {
            ManagedHeap heap = hmm.heap();
            MemorySegment a = heap.allocateFrom(JAVA_BYTE, new byte[20 * PAGE]);
            MemorySegment b = heap.allocateFrom(JAVA_BYTE, new byte[20 * PAGE]);
            heap.prefetch(a, hmm.device());
            long before = bytesMoved(hmm);
            heap.copy(a, b);
            assertThat(bytesMoved(hmm)).isEqualTo(before);
            heap.prefetchHost(a);
            long home = bytesMoved(hmm);
            heap.copy(a, b); // the device has what is written, so what is read comes to it, and b stays
            assertThat(hmm.report().bytes(Direction.TO_HOST)).isEqualTo(20 * PAGE);
            assertThat(bytesMoved(hmm) - home).isEqualTo(20 * PAGE);
            assertThat(heap.residency(b).onDevice(hmm.device())).isEqualTo(20 * PAGE);
        }
    }

    @Test
    void underAnOpenViewTheHostDoesIt() {
        try (Hmm hmm = openCl(Mode.CHECKED, 300)) {
            ManagedHeap heap = hmm.heap();
            MemorySegment a = heap.allocateFrom(JAVA_BYTE, new byte[10 * PAGE]);
            heap.prefetch(a, hmm.device());
            try (HostView view = heap.view(a.asSlice(0, 5), Access.READ)) {
                heap.fill(a, (byte) 3);
                assertThat(view.segment().toArray(JAVA_BYTE)).containsOnly((byte) 3);
            }
        }
    }

    @Test
    void whatCannotBeIsRefused() {
        try (Hmm hmm = openCl(Mode.CHECKED, 300)) {
            ManagedHeap heap = hmm.heap();
            MemorySegment a = heap.allocate(10 * PAGE);
            MemorySegment b = heap.allocate(10 * PAGE);
            assertThatThrownBy(() -> heap.copy(a, b.asSlice(1))).isInstanceOf(IllegalArgumentException.class).hasMessage("fromBytes=40960, toBytes=40959, must be the same");
            assertThatThrownBy(() -> heap.copy(a, b.asReadOnly())).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("copy refused").hasMessageContaining("read-only");
            assertThatThrownBy(() -> heap.fill(a.asReadOnly(), (byte) 1)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("fill refused");
            assertThatThrownBy(() -> heap.fill(MemorySegment.ofArray(new byte[4]), (byte) 1)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("not of this heap");
            heap.copy(a.asSlice(3, 0), b.asSlice(4, 0));
            heap.fill(a.asSlice(3, 0), (byte) 1);
            heap.protect(b, Protection.READ);
            assertThatThrownBy(() -> heap.copy(a, b)).isInstanceOf(AccessViolationException.class);
            heap.prefetch(a, hmm.device());
            assertThatThrownBy(() -> heap.copy(a, b)).isInstanceOf(AccessViolationException.class);
            heap.copy(b, a); // it may be read
            Arena arena = heap.arena();
            MemorySegment c = arena.allocate(PAGE);
            arena.close();
            assertThatThrownBy(() -> heap.fill(c, (byte) 1)).isInstanceOf(IllegalStateException.class).hasMessageContaining("arena of this memory is closed");
        }
    }
}
