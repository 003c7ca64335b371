package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.mirror.PlacementMode;
import io.github.hmm4j.pager.HostAccess.Mode;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.space.Protection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Segments of what was freed: refused for ever, whoever has their addresses.
@Timeout(60)
class RegionGenerationTest {

    private static final String GONE = "is not within one managed region any more: it was freed, or has moved";

    private static Hmm hostOnly(Mode mode) {
        return Hmm.builder().hostOnly().heap(ByteSize.mib(64)).pageSize(Rig.PAGE).hostAccess(mode).open();
    }

    /// Has the addresses of one that was freed.
    private static MemorySegment successor(ManagedHeap heap, MemorySegment freed) {
        OtherFrees.pass(heap);
        List<MemorySegment> others = new ArrayList<>();
        while (true) {
            MemorySegment next = heap.allocate(freed.byteSize(), 1);
            if (next.address() == freed.address()) {
                others.forEach(heap::free);
                return next;
            }
            others.add(next);
        }
    }

    private static void fill(ManagedHeap heap, MemorySegment segment, int value) {
        try (HostView view = heap.view(segment, Access.WRITE)) {
            view.segment().fill((byte) value);
        }
    }

    private static void assertFilled(ManagedHeap heap, MemorySegment segment, int value) {
        try (HostView view = heap.view(segment, Access.READ)) {
            assertThat(view.segment().toArray(JAVA_BYTE)).containsOnly((byte) value);
        }
    }

    /// Every call that takes a segment.
    private static List<ThrowingCallable> uses(Rig rig, MemorySegment stale) {
        ManagedHeap heap = rig.heap;
        MemorySegment other = heap.allocate(stale.byteSize(), 1);
        return List.of(
                () -> heap.free(stale), () -> heap.move(stale), () -> heap.protect(stale, Protection.NONE), () -> heap.discard(stale),
                () -> heap.fill(stale, (byte) 9), () -> heap.copy(stale, other), () -> heap.copy(other, stale),
                () -> heap.lease(rig.device(0), stale, Arg.Intent.IN), () -> heap.lease(rig.device(0), stale, Arg.Intent.OUT),
                () -> heap.place(stale, rig.device(0), PlacementMode.PRIVATE), () -> heap.quota(stale, rig.device(0), Rig.PAGE), () -> heap.view(stale, Access.READ), () -> heap.sharedView(stale, Access.WRITE),
                () -> heap.pin(stale, Access.READ), () -> heap.prefetch(stale, rig.device(0)), () -> heap.migrate(stale, rig.device(0)), () -> heap.prefetchHost(stale),
                () -> heap.mirror(stale, new ReentrantLock(), _ -> {}), () -> heap.residency(stale),
                () -> rig.add(stale, 1, 0), () -> rig.add(stale.asSlice(4), 1, 0));
    }

    @Test
    void everyCallRefusesItAlsoWhenItsAddressesAreOfAnother() {
        try (Rig rig = Rig.windows(1, 64)) {
            MemorySegment stale = rig.filled(2, 1);
            rig.heap.free(stale);
            MemorySegment next = successor(rig.heap, stale);
            fill(rig.heap, next, 3);
            for (ThrowingCallable use : uses(rig, stale)) {
                assertThatThrownBy(use).isInstanceOf(IllegalArgumentException.class).hasMessageContaining(GONE)
                        .hasMessageContaining("lies there now").hasMessageContaining(Long.toHexString(next.address()));
            }
            assertFilled(rig.heap, next, 3);
            assertThat(rig.heap.residency(next).hostBytes()).isEqualTo(next.byteSize());
            rig.heap.free(next);
        }
    }

    /// Also of a slice, one of another size, and a buffer.
    @Test
    void aTouchOfItThrows() {
        try (Hmm hmm = hostOnly(Mode.UFFD)) {
            MemorySegment stale = hmm.heap().allocate(Rig.PAGE, 1);
            MemorySegment slice = stale.asSlice(8, 8);
            MemorySegment longer = slice.reinterpret(16);
            ByteBuffer buffer = stale.asByteBuffer();
            stale.set(JAVA_INT, 8, 7);
            assertThat(longer.get(JAVA_INT, 0)).isEqualTo(7);
            hmm.heap().free(stale);
            for (int round = 0; round < 2; round++) {
                for (ThrowingCallable touch : List.<ThrowingCallable>of(() -> stale.get(JAVA_INT, 8), () -> slice.set(JAVA_INT, 0, 9), () -> longer.get(JAVA_INT, 0), () -> buffer.putInt(8, 9))) {
                    assertThatThrownBy(touch).isInstanceOf(IllegalStateException.class);
                }
                if (round == 0) {
                    MemorySegment next = successor(hmm.heap(), stale);
                    assertThat(next.get(JAVA_INT, 8)).isZero();
                }
            }
        }
    }

    /// Many allocations share a scope, and its end: till then their addresses are nobody's.
    @Test
    void addressesOfManyWaitForTheLastOfTheirs() {
        try (Hmm hmm = hostOnly(Mode.UFFD)) {
            ManagedHeap heap = hmm.heap();
            for (int i = 0; i < 10_000; i++) {
                heap.free(heap.allocate(1));
            }
            List<MemorySegment> all = new ArrayList<>();
            do {
                all.add(heap.allocate(4, 4));
            } while (all.size() < 3 || !all.getLast().scope().equals(all.get(all.size() - 2).scope()) || all.size() < 200);
            MemorySegment last = all.get(100);
            List<MemorySegment> generation = all.stream().filter(segment -> segment.scope().equals(last.scope())).toList();
            assertThat(generation).hasSize(64);
            all.stream().filter(segment -> !segment.equals(last)).forEach(heap::free);
            for (int i = 0; i < 500; i++) {
                MemorySegment next = heap.allocate(4, 4);
                assertThat(generation).noneMatch(segment -> segment.address() == next.address());
                heap.free(next);
            }
            MemorySegment freed = generation.get(generation.getFirst().equals(last) ? 1 : 0);
            assertThatThrownBy(() -> heap.view(freed, Access.READ)).hasMessageContaining(GONE);
            last.set(JAVA_INT, 0, 5);
            assertThat(last.get(JAVA_INT, 0)).isEqualTo(5);
            heap.free(last);
            generation.forEach(segment -> assertThatThrownBy(() -> segment.get(JAVA_INT, 0)).isInstanceOf(IllegalStateException.class));
            assertThat(successor(heap, freed).get(JAVA_INT, 0)).isZero();
        }
    }

    /// Where there is no other room they do not wait; then it is the allocation that refuses.
    @ParameterizedTest
    @EnumSource(Mode.class)
    void whereThereIsNoOtherRoomItIsStillRefusedAsAnArgument(Mode mode) {
        try (Hmm hmm = Hmm.builder().hostOnly().heap(ByteSize.mib(2)).pageSize(Rig.PAGE).hostAccess(mode).open()) {
            ManagedHeap heap = hmm.heap();
            for (int i = 0; i < 10_000; i++) {
                heap.free(heap.allocate(1));
            }
            List<MemorySegment> all = new ArrayList<>();
            for (long bytes = 0; bytes < heap.capacityBytes(); bytes += Rig.PAGE) {
                all.add(heap.allocate(Rig.PAGE, 1));
            }
            MemorySegment newest = all.getLast();
            heap.free(newest);
            MemorySegment next = heap.allocate(Rig.PAGE, 1);
            assertThat(next.address()).isEqualTo(newest.address());
            assertThat(next.scope()).isNotEqualTo(newest.scope());
            fill(heap, next, 3);
            assertThatThrownBy(() -> heap.free(newest)).hasMessageContaining(GONE);
            assertThatThrownBy(() -> heap.view(newest, Access.WRITE)).hasMessageContaining(GONE);
            assertFilled(heap, next, 3);
        }
    }

    /// Others may have had the address in between, and set it free again.
    @Test
    void noGenerationHasAnAddressTwice() {
        try (Hmm hmm = Hmm.builder().hostOnly().heap(ByteSize.mib(2)).pageSize(Rig.PAGE).hostAccess(Mode.CHECKED).open()) {
            ManagedHeap heap = hmm.heap();
            for (int i = 0; i < 10_000; i++) {
                heap.free(heap.allocate(1));
            }
            heap.allocate(heap.capacityBytes() - Rig.PAGE, 1);
            MemorySegment stale = heap.allocate(Rig.PAGE, 1);
            heap.free(stale);
            assertThat(stale.scope().isAlive()).as("its generation has room for more").isTrue();
            try (Arena arena = heap.arena()) {
                assertThat(arena.allocate(8).address()).isEqualTo(stale.address());
            }
            MemorySegment next = heap.allocate(Rig.PAGE, 1);
            assertThat(next.address()).isEqualTo(stale.address());
            assertThatThrownBy(() -> heap.free(stale)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining(GONE);
            heap.free(next);
        }
    }

    @Test
    void aPartThatWasFreedIsRefusedAndTheRestIsNot() {
        try (Hmm hmm = hostOnly(Mode.CHECKED)) {
            ManagedHeap heap = hmm.heap();
            MemorySegment all = heap.allocate(3L * Rig.PAGE, 1);
            MemorySegment middle = all.asSlice(Rig.PAGE, Rig.PAGE);
            heap.free(middle);
            assertThatThrownBy(() -> heap.view(middle, Access.READ)).hasMessageContaining(GONE);
            assertThatThrownBy(() -> heap.view(all, Access.READ)).hasMessageContaining("a part of it was freed");
            fill(heap, all.asSlice(0, Rig.PAGE), 1);
            fill(heap, all.asSlice(2L * Rig.PAGE), 2);
            heap.free(all.asSlice(0, Rig.PAGE));
            assertThat(all.scope().isAlive()).isTrue();
            assertFilled(heap, all.asSlice(2L * Rig.PAGE), 2);
            heap.free(all.asSlice(2L * Rig.PAGE));
            assertThat(all.scope().isAlive()).isFalse();
            assertThat(heap.usedBytes()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void whatHasMovedIsRefusedAtItsOldAddress(Mode mode) {
        try (Hmm hmm = hostOnly(mode)) {
            ManagedHeap heap = hmm.heap();
            MemorySegment old = heap.allocate(Rig.PAGE, 1);
            fill(heap, old, 5);
            MemorySegment moved = heap.move(old);
            assertFilled(heap, moved, 5);
            assertThat(old.scope().isAlive()).isFalse();
            MemorySegment next = successor(heap, old);
            assertThatThrownBy(() -> heap.free(old)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining(GONE);
            heap.free(next);
            heap.free(moved);
        }
    }

    /// An address that the program has stored is whose it is now; and so is one with a scope of the program's own, as long as that lives.
    @Test
    void addressesAreNotSegments() {
        try (Hmm hmm = hostOnly(Mode.CHECKED)) {
            Arena own = Arena.ofConfined();
            ManagedHeap heap = hmm.heap();
            MemorySegment freed = heap.allocate(Rig.PAGE, 1);
            MemorySegment pointer = MemorySegment.ofAddress(freed.address()).reinterpret(Rig.PAGE);
            MemorySegment owned = freed.reinterpret(own, null);
            heap.free(freed);
            assertThatThrownBy(() -> heap.view(pointer, Access.READ)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("it was freed, or never allocated");
            MemorySegment next = successor(heap, freed);
            fill(heap, next, 4);
            assertFilled(heap, pointer, 4);
            assertFilled(heap, owned, 4);
            own.close();
            assertThatThrownBy(() -> heap.view(owned, Access.READ)).isInstanceOf(IllegalStateException.class);
            assertFilled(heap, next, 4);
        }
    }

    /// Freed, and allocated by another, between a look at the segment and the change.
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void aChangeThatIsOvertakenByAFreeDoesNotHappen(int change) {
        try (Hmm hmm = hostOnly(Mode.CHECKED)) {
            ManagedHeap heap = hmm.heap();
            MemorySegment stale = heap.allocate(64 << 10, 1);
            AtomicReference<MemorySegment> next = new AtomicReference<>();
            AtomicReference<Runnable> once = new AtomicReference<>(() -> Background.run(() -> {
                heap.free(stale);
                next.set(successor(heap, stale));
                fill(heap, next.get(), 3);
            }).join());
            ReentrantLock lock = new ReentrantLock() {
                @Override
                public void lock() {
                    once.getAndSet(() -> {}).run();
                    super.lock();
                }
            };
            heap.mirror(stale, lock, _ -> {});
            List<ThrowingCallable> changes = List.of(() -> heap.discard(stale), () -> heap.protect(stale, Protection.READ), () -> heap.free(stale), () -> heap.move(stale));
            assertThatThrownBy(changes.get(change)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining(GONE);
            assertFilled(heap, next.get(), 3);
            heap.view(next.get(), Access.WRITE).close();
        }
    }

    @Test
    void aLeaseOfWhatWasFreedIsNotWrittenBack() {
        try (Rig rig = Rig.windows(1, 64)) {
            MemorySegment stale = rig.filled(2, 1);
            DeviceLease lease = rig.heap.lease(rig.device(0), stale, Arg.Intent.IN_OUT);
            rig.heap.free(stale);
            MemorySegment next = successor(rig.heap, stale);
            fill(rig.heap, next, 3);
            assertThatThrownBy(lease::close).isInstanceOf(IllegalArgumentException.class).hasMessageContaining(GONE);
            lease.close();
            assertThatThrownBy(lease::memory).isInstanceOf(IllegalStateException.class);
            assertFilled(rig.heap, next, 3);
        }
    }

    /// A native call keeps the scope; nobody waits for it.
    @Test
    void whatANativeCallUsesEndsLater() throws IOException {
        try (Hmm hmm = hostOnly(Mode.UFFD)) {
            ManagedHeap heap = hmm.heap();
            MemorySegment used = heap.allocate(Rig.PAGE, 1);
            Pipe pipe = Pipe.open();
            Background<Boolean> reading = Background.run(() -> {
                try {
                    pipe.source().read(used.asByteBuffer());
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }).awaitWaiting();
            heap.free(used);
            assertThat(used.scope().isAlive()).isTrue();
            assertThatThrownBy(() -> heap.view(used, Access.READ)).hasMessageContaining(GONE);
            assertThatThrownBy(() -> used.get(JAVA_INT, 0)).as("its page is nobody's").isInstanceOf(InternalError.class);
            pipe.sink().close();
            reading.join();
            heap.free(heap.allocate(1));
            assertThat(used.scope().isAlive()).isFalse();
        }
    }
}
