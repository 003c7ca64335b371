package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess.Mode;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Memory that goes together.
@Timeout(60)
class ArenaTest {

    static final String CLOSED = "the arena of this memory is closed";

    private static Hmm hostOnly(Mode mode) {
        return Hmm.builder().hostOnly().heap(ByteSize.mib(64)).pageSize(Rig.PAGE).hostAccess(mode).open();
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void closingFreesAndEndsTheSegments(Mode mode) {
        try (Hmm hmm = hostOnly(mode)) {
            ManagedHeap heap = hmm.heap();
            MemorySegment kept = heap.allocateFrom(JAVA_INT, 7);
            Arena arena = heap.arena();
            MemorySegment small = arena.allocateFrom(JAVA_INT, 1, 2, 3);
            MemorySegment large = arena.allocate(ByteSize.mib(3));
            MemorySegment ownPointer = MemorySegment.ofAddress(small.address()).reinterpret(small.byteSize());
            assertThat(small.scope()).isEqualTo(arena.scope()).isEqualTo(large.scope());
            assertThat(large.asSlice(5, 9).scope().isAlive()).isTrue();
            try (HostView view = heap.view(small, Access.READ)) {
                assertThat(view.segment().toArray(JAVA_INT)).containsExactly(1, 2, 3);
            }
            if (mode.isTransparent()) {
                assertThat(small.get(JAVA_INT, 4)).isEqualTo(2);
                large.set(JAVA_INT, ByteSize.mib(2), 5);
            } else {
                assertThatThrownBy(() -> small.get(JAVA_INT, 4)).isInstanceOf(WrongThreadException.class);
            }
            arena.close();
            assertThat(arena.scope().isAlive()).isFalse();
            assertThat(heap.usedBytes()).isEqualTo(Rig.PAGE);
            assertThat(heap.contains(small.address())).isFalse();
            assertThatThrownBy(() -> large.asSlice(4).get(JAVA_INT, 0)).isInstanceOf(mode.isTransparent() ? IllegalStateException.class : WrongThreadException.class);
            assertThatThrownBy(() -> heap.view(small, Access.READ)).isInstanceOf(IllegalStateException.class).hasMessageContaining(CLOSED);
            assertThatThrownBy(() -> heap.residency(large)).isInstanceOf(IllegalStateException.class).hasMessageContaining(CLOSED);
            assertThatThrownBy(() -> heap.discard(small)).isInstanceOf(IllegalStateException.class).hasMessageContaining(CLOSED);
            assertThatThrownBy(() -> heap.view(ownPointer, Access.READ)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("not within one managed region");
            assertThatThrownBy(() -> arena.allocate(4)).isInstanceOf(IllegalStateException.class).hasMessageContaining("the arena is closed");
            assertThatThrownBy(arena::close).isInstanceOf(IllegalStateException.class).hasMessageContaining("closed already");
            try (HostView view = heap.view(kept, Access.READ)) {
                assertThat(view.segment().get(JAVA_INT, 0)).isEqualTo(7);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void endsWithItsHeap(Mode mode) {
        Hmm hmm = hostOnly(mode);
        Arena arena = hmm.heap().arena();
        MemorySegment segment = arena.allocate(8);
        hmm.close();
        assertThat(arena.scope().isAlive()).isFalse();
        assertThat(segment.scope().isAlive()).isFalse();
        assertThatThrownBy(arena::close).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void smallAllocationsSharePages() {
        try (Rig rig = Rig.windows(1, 256); Arena arena = rig.heap.arena()) {
            List<MemorySegment> all = IntStream.range(0, 2000).mapToObj(i -> arena.allocate(1 + i % 128, 1)).toList();
            int alignment = rig.device(0).device().info().baseAlignmentBytes();
            assertThat(rig.heap.usedBytes()).isLessThan(2 * 2000L * alignment);
            requireApart(all);
            assertThat(all).allMatch(segment -> segment.address() % alignment == 0); // so that each can be an argument
            MemorySegment first = all.get(4 - 1);
            MemorySegment second = all.get(128 + 8 - 1);
            rig.add(first, 5, 0).await();
            rig.fill(second, 3, 0).await();
            assertThat(rig.values(first)).containsExactly(5);
            assertThat(rig.values(second)).containsExactly(3);
            all.stream().filter(segment -> !segment.equals(first) && !segment.equals(second)).forEach(segment -> assertThat(bytes(rig.heap, segment)).containsOnly((byte) 0));
        }
    }

    private static void requireApart(List<MemorySegment> all) {
        List<MemorySegment> sorted = all.stream().sorted(Comparator.comparingLong(MemorySegment::address)).toList();
        for (int i = 1; i < sorted.size(); i++) {
            MemorySegment before = sorted.get(i - 1);
            assertThat(sorted.get(i).address()).isGreaterThanOrEqualTo(before.address() + Math.max(1, before.byteSize()));
        }
    }

    private static byte[] bytes(ManagedHeap heap, MemorySegment segment) {
        try (HostView view = heap.view(segment, Access.READ)) {
            return view.segment().toArray(JAVA_BYTE);
        }
    }

    @Test
    void keepsEveryAlignment() {
        Random random = new Random(1);
        try (Hmm hmm = hostOnly(Mode.CHECKED); Arena arena = hmm.heap().arena()) {
            List<MemorySegment> all = new ArrayList<>();
            for (int i = 0; i < 400; i++) {
                long alignment = 1L << random.nextInt(i % 50 == 0 ? 22 : 14);
                MemorySegment segment = arena.allocate(random.nextInt(i % 40 == 0 ? 300_000 : 3_000), alignment);
                assertThat(segment.address() % alignment).isZero();
                all.add(segment);
            }
            requireApart(all);
            assertThat(arena.allocate(0).byteSize()).isZero();
            assertThatThrownBy(() -> arena.allocate(8, 3)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("alignmentBytes=3");
            assertThatThrownBy(() -> arena.allocate(8, 4 << 20)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("alignmentBytes=4194304");
            assertThatThrownBy(() -> arena.allocate(-8, 8)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("byteSize=-8");
        }
    }

    @Test
    void manyThreadsAllocate() {
        try (Hmm hmm = hostOnly(Mode.UFFD)) {
            Arena arena = hmm.heap().arena();
            List<MemorySegment> all = Collections.synchronizedList(new ArrayList<>());
            List<Background<Boolean>> threads = IntStream.range(0, 6).mapToObj(thread -> Background.run(() -> {
                Random random = new Random(thread);
                for (int i = 0; i < 400; i++) {
                    MemorySegment segment = arena.allocate(8 + random.nextInt(i % 50 == 0 ? 40_000 : 300), 8);
                    assertThat(segment.get(JAVA_LONG, 0)).isZero();
                    segment.set(JAVA_LONG, 0, segment.address());
                    all.add(segment);
                }
            })).toList();
            threads.forEach(Background::join);
            requireApart(all);
            all.forEach(segment -> assertThat(segment.get(JAVA_LONG, 0)).isEqualTo(segment.address()));
            arena.close();
            assertThat(hmm.heap().usedBytes()).isZero();
        }
    }

    @Test
    void whereThereIsNoRoomForAPieceThereIsForAPage() {
        try (Hmm hmm = Hmm.builder().hostOnly().heap(ByteSize.mib(2)).pageSize(Rig.PAGE).open(); Arena arena = hmm.heap().arena()) {
            ManagedHeap heap = hmm.heap();
            heap.allocate(heap.capacityBytes() - 2 * Rig.PAGE);
            arena.allocate(3000);
            arena.allocate(3000);
            assertThatThrownBy(() -> arena.allocate(3000)).isInstanceOf(OutOfMemoryError.class)
                    .hasMessageContaining("managed heap is full").hasMessageContaining("HmmBuilder.heap");
            arena.allocate(500);
        }
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void closingWaitsForAnOpenClKernel(Mode mode) {
        Source source = Source.text("last.cl", "kernel void last(global int *data, int n) { for (int i = 0; i < n; i++) data[i] = i; }");
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(64)).hostAccess(mode).open()) {
            Kernel last = hmm.program(source).kernel("last");
            Arena arena = hmm.heap().arena();
            MemorySegment a = arena.allocate(JAVA_INT, 4 << 20);
            Launch launch = last.args(Arg.out(a), 4 << 20).launch(NDRange.of(1));
            arena.close();
            assertThat(launch.isDone()).isTrue();
            assertThatThrownBy(() -> last.args(a, 1).launch(NDRange.of(1))).isInstanceOf(IllegalStateException.class).hasMessageContaining("kernel=last, argument 0: " + CLOSED);
            OtherFrees.pass(hmm.heap());
            MemorySegment next = hmm.heap().allocate(JAVA_INT, 4 << 20);
            assertThat(bytes(hmm.heap(), next)).containsOnly((byte) 0);
            assertThat(hmm.heap().usedBytes()).isLessThan(17 << 20);
        }
    }

    @Test
    void closingWaitsForAKernelThatFaults() {
        assumeTrue(FirstDevice.worksInHostMemory(), "kernels of this device cannot fault");
        Source source = Source.text("last.cl", "kernel void last(global int *data, int n) { for (int i = 0; i < n; i++) data[i] = i; }");
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(32)).hostAccess(Mode.UFFD).deviceFaults().open()) {
            Kernel last = hmm.program(source).kernel("last");
            Arena arena = hmm.heap().arena();
            MemorySegment a = arena.allocate(JAVA_INT, 4 << 20);
            Launch launch = last.args(a, 4 << 20).launch(NDRange.of(1));
            arena.close();
            assertThat(launch.isDone()).isTrue(); // well or not: its pages were taken away
            OtherFrees.pass(hmm.heap());
            MemorySegment next = hmm.heap().allocate(JAVA_INT, 4 << 20);
            assertThat(bytes(hmm.heap(), next)).containsOnly((byte) 0);
        }
    }

    /// It has gone so far that the region is none any more.
    static Background<Boolean> closing(Arena arena, Rig rig, long address) {
        Background<Boolean> closing = Background.run(arena::close);
        while (rig.heap.contains(address)) {
            Thread.onSpinWait(); // the test's time limit ends it
        }
        return closing.awaitWaiting();
    }

    /// The launch has looked its segment up and moves pages when the arena is closed: it neither runs nor hurts what
    /// comes to lie there.
    @Test
    void aLaunchThatIsOvertakenByTheEndDoesNotRun() {
        AtomicReference<Runnable> once = new AtomicReference<>(() -> {});
        try (Rig rig = Rig.open(1, builder -> builder.heap(ByteSize.mib(64)).budget(32L * Rig.PAGE).steps(_ -> once.getAndSet(() -> {}).run()))) {
            Arena arena = rig.heap.arena();
            MemorySegment a = arena.allocate(4 * Rig.PAGE);
            AtomicReference<Background<Boolean>> closing = new AtomicReference<>();
            once.set(() -> closing.set(closing(arena, rig, a.address())));
            assertThatThrownBy(() -> rig.add(a, 1, 0)).isInstanceOf(IllegalStateException.class).hasMessageContaining(CLOSED);
            closing.get().join();
            OtherFrees.pass(rig.heap);
            MemorySegment next = rig.filled(4, 3);
            assertThat(next.address()).isEqualTo(a.address());
            assertThat(rig.values(next)).containsExactly(3);
        }
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void anOpenViewKeepsAllOfIt(Mode mode) {
        try (Hmm hmm = hostOnly(mode)) {
            ManagedHeap heap = hmm.heap();
            Arena arena = heap.arena();
            MemorySegment large = arena.allocate(ByteSize.mib(1));
            MemorySegment small = arena.allocateFrom(JAVA_INT, 4);
            try (HostView view = heap.view(small, Access.READ)) {
                assertThatThrownBy(arena::close).isInstanceOf(IllegalStateException.class).hasMessageContaining("closing the arena refused: a view of");
                assertThat(view.segment().get(JAVA_INT, 0)).isEqualTo(4);
            }
            assertThat(large.scope().isAlive()).isTrue();
            assertThat(bytes(heap, large.asSlice(0, 8))).containsOnly((byte) 0);
            assertThat(arena.allocate(8).scope().isAlive()).isTrue();
            arena.close();
            assertThat(heap.usedBytes()).isZero();
        }
    }

    @Test
    void itsMemoryIsNeitherFreedNorMovedByItself() {
        try (Hmm hmm = hostOnly(Mode.CHECKED); Arena arena = hmm.heap().arena()) {
            ManagedHeap heap = hmm.heap();
            MemorySegment large = arena.allocate(ByteSize.mib(1));
            MemorySegment page = MemorySegment.ofAddress(large.address()).reinterpret(Rig.PAGE);
            assertThatThrownBy(() -> heap.free(large)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("free refused").hasMessageContaining("belongs to an arena");
            assertThatThrownBy(() -> heap.free(page)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("belongs to an arena");
            assertThatThrownBy(() -> heap.move(large)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("move refused");
            heap.protect(large, Protection.READ);
            heap.protect(large, Protection.READ_WRITE);
            heap.discard(large);
        }
    }

    /// What a page keeps for others when one allocation in it is discarded or overwritten.
    @Test
    void neighboursInAPageKeepTheirBytes() {
        try (Rig rig = Rig.windows(1, 64); Arena arena = rig.heap.arena()) {
            MemorySegment a = arena.allocateFrom(JAVA_INT, 1, 1);
            MemorySegment b = arena.allocateFrom(JAVA_INT, 2, 2);
            MemorySegment c = arena.allocateFrom(JAVA_INT, 3, 3);
            rig.heap.discard(b);
            rig.fill(b, 7, 0).await();
            assertThat(rig.read(a)).containsExactly(1, 1);
            assertThat(rig.read(b)).containsExactly(7, 7);
            assertThat(rig.read(c)).containsExactly(3, 3);
        }
    }

    /// Its segments are good for an allocator of the JDK's.
    @Test
    void carvesUp() {
        try (Hmm hmm = hostOnly(Mode.UFFD); Arena arena = hmm.heap().arena()) {
            SegmentAllocator nodes = SegmentAllocator.slicingAllocator(arena.allocate(1000, 8));
            MemorySegment node = nodes.allocate(16, 8);
            node.set(JAVA_LONG, 8, 5);
            assertThat(nodes.allocate(16, 8).address()).isEqualTo(node.address() + 16);
        }
    }

    /// A handle that was kept does nothing to whoever has its addresses now.
    @ParameterizedTest
    @EnumSource(Mode.class)
    void whatIsClosedIsNotFreedUnderSomebodyElse(Mode mode) {
        try (Hmm hmm = hostOnly(mode)) {
            ManagedHeap heap = hmm.heap();
            Arena arena = heap.arena();
            MemorySegment closed = arena.allocate(Rig.PAGE);
            arena.close();
            assertThatThrownBy(() -> heap.free(closed)).isInstanceOf(IllegalStateException.class).hasMessageContaining(CLOSED);
            OtherFrees.pass(heap);
            MemorySegment next = heap.allocate(Rig.PAGE, 1);
            assertThat(next.address()).isEqualTo(closed.address());
            try (HostView view = heap.view(next, Access.WRITE)) {
                view.segment().fill((byte) 3);
            }
            for (Runnable change : List.<Runnable>of(() -> heap.free(closed), () -> heap.move(closed), () -> heap.protect(closed, Protection.READ), () -> heap.discard(closed))) {
                assertThatThrownBy(change::run).isInstanceOf(IllegalStateException.class).hasMessageContaining(CLOSED);
            }
            assertThat(bytes(heap, next)).containsOnly((byte) 3);
            heap.view(next, Access.WRITE).close();
            heap.free(next);
        }
    }

    /// Wherever the end meets it, what uses a segment of the arena is told that the arena is closed.
    @ParameterizedTest
    @EnumSource(Mode.class)
    void whoeverMeetsTheEndIsToldOfIt(Mode mode) {
        try (Hmm hmm = hostOnly(mode)) {
            ManagedHeap heap = hmm.heap();
            for (int round = 0; round < 300; round++) {
                Arena arena = heap.arena();
                MemorySegment segment = arena.allocate(ByteSize.kib(256));
                Background<Boolean> closing = Background.run(() -> {
                    while (arena.scope().isAlive()) {
                        try {
                            arena.close();
                        } catch (IllegalStateException _) {
                            Thread.onSpinWait(); // a view is open
                        }
                    }
                });
                assertThatThrownBy(() -> {
                    while (true) {
                        heap.view(segment, Access.READ).close();
                        heap.discard(segment);
                        heap.prefetchHost(segment);
                    }
                }).isInstanceOf(IllegalStateException.class).hasMessageContaining(CLOSED);
                closing.join();
            }
        }
    }

    /// The arena is closed, and its addresses are somebody else's, between a look at the segment and the change.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aChangeThatIsOvertakenByTheEndDoesNotHappen(boolean discards) {
        try (Hmm hmm = hostOnly(Mode.CHECKED)) {
            ManagedHeap heap = hmm.heap();
            Arena arena = heap.arena();
            MemorySegment closed = arena.allocate(64 << 10);
            AtomicReference<MemorySegment> next = new AtomicReference<>();
            AtomicReference<Runnable> once = new AtomicReference<>(() -> Background.run(() -> {
                arena.close();
                OtherFrees.pass(heap);
                next.set(heap.allocate(64 << 10, 1));
                try (HostView view = heap.view(next.get(), Access.WRITE)) {
                    view.segment().fill((byte) 3);
                }
            }).join());
            ReentrantLock lock = new ReentrantLock() {
                @Override
                public void lock() {
                    once.getAndSet(() -> {}).run();
                    super.lock();
                }
            };
            heap.mirror(closed, lock, _ -> {});
            assertThatThrownBy(() -> {
                if (discards) {
                    heap.discard(closed);
                } else {
                    heap.protect(closed, Protection.READ);
                }
            }).isInstanceOf(IllegalStateException.class).hasMessageContaining(CLOSED);
            assertThat(next.get().address()).isEqualTo(closed.address());
            assertThat(bytes(heap, next.get())).containsOnly((byte) 3);
            heap.view(next.get(), Access.WRITE).close();
        }
    }

    /// It waits for the device's lock, with what it has looked up, when the arena is closed: what comes to lie there stays where it is.
    @Test
    void aPrefetchThatIsOvertakenByTheEndMovesNothing() {
        AtomicReference<Runnable> once = new AtomicReference<>(() -> {});
        try (Rig rig = Rig.open(1, builder -> builder.heap(ByteSize.mib(64)).budget(32L * Rig.PAGE).steps(_ -> once.getAndSet(() -> {}).run()))) {
            Arena arena = rig.heap.arena();
            MemorySegment a = arena.allocate(4 * Rig.PAGE);
            MemorySegment other = rig.filled(1, 1);
            AtomicReference<Background<Boolean>> prefetch = new AtomicReference<>();
            AtomicReference<Background<Boolean>> closing = new AtomicReference<>();
            once.set(() -> {
                prefetch.set(Background.run(() -> rig.heap.prefetch(a, rig.device(0))).awaitWaiting());
                closing.set(closing(arena, rig, a.address()));
            });
            rig.heap.prefetch(other, rig.device(0));
            assertThatThrownBy(() -> prefetch.get().join()).hasStackTraceContaining(CLOSED);
            closing.get().join();
        }
    }
}
