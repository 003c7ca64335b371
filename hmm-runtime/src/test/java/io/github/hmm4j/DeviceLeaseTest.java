package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.account.Direction;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.pager.HostAccess.Mode;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.lwjgl.BufferUtils;
import org.lwjgl.opencl.CL10;
import org.lwjgl.opencl.CL12;

/// What a library gets that calls OpenCL itself; here that is LWJGL.
@Timeout(60)
class DeviceLeaseTest {

    private static final int PAGE = 4096;

    private static Hmm open(Mode mode, long budgetPages) {
        return Hmm.builder().heap(ByteSize.mib(32)).pageSize(PAGE).budget(budgetPages * PAGE).hostAccess(mode).open();
    }

    private static byte[] bytes(ManagedHeap heap, MemorySegment segment) {
        try (HostView view = heap.view(segment, Access.READ)) {
            return view.segment().toArray(JAVA_BYTE);
        }
    }

    private static void fill(DeviceLease lease, int value, long offset, long count) {
        ByteBuffer pattern = BufferUtils.createByteBuffer(1).put(0, (byte) value);
        assertThat(CL12.clEnqueueFillBuffer(lease.queue(), lease.memory(), pattern, offset, count, null, null)).isZero();
    }

    private static byte[] random(int count) {
        byte[] bytes = new byte[count];
        new Random(count).nextBytes(bytes);
        return bytes;
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void aLibraryReadsAndWrites(Mode mode) {
        try (Hmm hmm = open(mode, 300)) {
            ManagedHeap heap = hmm.heap();
            byte[] expected = random(100 * PAGE);
            MemorySegment all = heap.allocateFrom(JAVA_BYTE, expected);
            MemorySegment part = all.asSlice(1001, 90 * PAGE);
            heap.prefetch(all.asSlice(0, 50 * PAGE), hmm.device());
            try (DeviceLease lease = heap.lease(hmm.device(), part, Arg.Intent.IN_OUT)) {
                assertThat(lease.lengthBytes()).isEqualTo(part.byteSize());
                ByteBuffer seen = BufferUtils.createByteBuffer((int) part.byteSize());
                assertThat(CL10.clEnqueueReadBuffer(lease.queue(), lease.memory(), true, 0, seen, null, null)).isZero();
                assertThat(MemorySegment.ofBuffer(seen).mismatch(MemorySegment.ofArray(expected).asSlice(1001, part.byteSize()))).isEqualTo(-1);
                fill(lease, 7, 10, 2000);
                assertThat(CL10.clEnqueueCopyBuffer(lease.queue(), lease.memory(), lease.memory(), 0, 5000, 3000, null, null)).isZero();
                assertThat(bytes(heap, all)).isEqualTo(expected); // as it was, and nobody waits
            }
            Arrays.fill(expected, 1011, 3011, (byte) 7);
            System.arraycopy(expected, 1001, expected, 6001, 3000);
            assertThat(bytes(heap, all)).isEqualTo(expected);
        }
    }

    @Test
    void aLeaseOfAHeapThatIsClosedHasNoHandles() {
        DeviceLease lease;
        try (Hmm hmm = open(Mode.CHECKED, 300)) {
            lease = hmm.heap().lease(hmm.device(), hmm.heap().allocate(PAGE), Arg.Intent.IN_OUT);
            assertThat(lease.memory()).isNotZero();
        }
        assertThatThrownBy(lease::memory).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(lease::queue).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(lease::close).isInstanceOf(IllegalStateException.class);
        lease.close();
    }

    @Test
    void anArenaThatIsClosedWhileTheLeaseIsIsToldAsThat() {
        try (Hmm hmm = open(Mode.CHECKED, 300)) {
            for (int round = 0; round < 300; round++) {
                Arena arena = hmm.heap().arena();
                DeviceLease lease = hmm.heap().lease(hmm.device(), arena.allocate(1000), Arg.Intent.OUT);
                Background<Boolean> end = Background.run(arena::close);
                try {
                    lease.close();
                } catch (IllegalStateException told) {
                    assertThat(told).hasMessageContaining("arena");
                }
                end.join();
            }
        }
    }

    @Test
    void whatIsOverwrittenAndWhatIsReadMovesNoMoreThanItMust() {
        try (Hmm hmm = open(Mode.CHECKED, 300)) {
            ManagedHeap heap = hmm.heap();
            MemorySegment a = heap.allocateFrom(JAVA_BYTE, random(20 * PAGE));
            MemorySegment b = heap.allocateFrom(JAVA_BYTE, random(20 * PAGE));
            heap.prefetch(a, hmm.device());
            long before = hmm.report().bytes(Direction.TO_DEVICE);
            try (DeviceLease in = heap.lease(hmm.device(), a, Arg.Intent.IN); DeviceLease out = heap.lease(hmm.device(), b, Arg.Intent.OUT)) {
                assertThat(in.context()).isEqualTo(out.context());
                assertThat(CL10.clEnqueueCopyBuffer(out.queue(), in.memory(), out.memory(), 0, 0, a.byteSize(), null, null)).isZero();
                CL10.clFinish(out.queue()); // theirs may be two queues
                fill(in, 9, 0, 5);
                CL10.clFinish(in.queue());
            }
            assertThat(hmm.report().bytes(Direction.TO_DEVICE)).isEqualTo(before);
            assertThat(hmm.report().bytes(Direction.TO_HOST)).isZero();
            assertThat(heap.residency(b).onDevice(hmm.device())).isEqualTo(b.byteSize());
            assertThat(bytes(heap, a)).isEqualTo(random(20 * PAGE)); // what was only lent to be read is as it was
            assertThat(bytes(heap, b)).isEqualTo(random(20 * PAGE));
        }
    }

    @Test
    void moreThanTheBudget() {
        try (Hmm hmm = open(Mode.CHECKED, 40)) {
            ManagedHeap heap = hmm.heap();
            MemorySegment a = heap.allocateFrom(JAVA_BYTE, random(100 * PAGE));
            try (DeviceLease lease = heap.lease(hmm.device(), a, Arg.Intent.IN_OUT)) {
                fill(lease, 1, 50 * PAGE, PAGE);
            }
            byte[] expected = random(100 * PAGE);
            Arrays.fill(expected, 50 * PAGE, 51 * PAGE, (byte) 1);
            assertThat(bytes(heap, a)).isEqualTo(expected);
        }
    }

    @Test
    void aViewOfOnesOwnKeepsItOpen() {
        try (Hmm hmm = open(Mode.CHECKED, 300)) {
            ManagedHeap heap = hmm.heap();
            MemorySegment a = heap.allocateFrom(JAVA_BYTE, random(2 * PAGE));
            DeviceLease lease = heap.lease(hmm.device(), a, Arg.Intent.OUT);
            fill(lease, 4, 0, 2 * PAGE);
            try (HostView _ = heap.view(a, Access.READ)) {
                assertThatThrownBy(lease::close).isInstanceOf(IllegalStateException.class).hasMessageContaining("would wait for ever");
            }
            lease.close();
            lease.close();
            assertThat(bytes(heap, a)).containsOnly((byte) 4);
        }
    }

    @Test
    void whatIsClosedBeforeItIsNotWrittenTo() {
        try (Hmm hmm = open(Mode.UFFD, 300)) {
            Arena arena = hmm.heap().arena();
            MemorySegment a = arena.allocate(2 * PAGE);
            DeviceLease lease = hmm.heap().lease(hmm.device(), a, Arg.Intent.OUT);
            fill(lease, 4, 0, 2 * PAGE);
            arena.close();
            MemorySegment next = hmm.heap().allocate(2 * PAGE);
            assertThatThrownBy(lease::close).isInstanceOf(IllegalStateException.class).hasMessageContaining("arena of this memory is closed");
            lease.close();
            assertThat(bytes(hmm.heap(), next)).containsOnly((byte) 0);
        }
        Hmm hmm = open(Mode.UFFD, 300);
        DeviceLease lease = hmm.heap().lease(hmm.device(), hmm.heap().allocate(PAGE), Arg.Intent.OUT);
        hmm.close();
        assertThatThrownBy(lease::close).isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
        lease.close();
    }

    @Test
    void whatCannotBeIsRefused() {
        try (Hmm hmm = open(Mode.CHECKED, 300); Rig rig = Rig.over(OddDevice.with("info", (real, _) -> real.call()), builder -> builder.heap(ByteSize.mib(64)))) {
            ManagedHeap heap = hmm.heap();
            MemorySegment a = heap.allocate(2 * PAGE);
            assertThatThrownBy(() -> rig.heap.lease(rig.device(0), rig.pages(1), Arg.Intent.IN)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("no OpenCL device");
            assertThatThrownBy(() -> heap.lease(hmm.device(), a.asReadOnly(), Arg.Intent.OUT)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("read-only");
            assertThatThrownBy(() -> heap.lease(hmm.device(), a.asSlice(0, 0), Arg.Intent.IN))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("the segment is empty");
            heap.protect(a, Protection.READ);
            assertThatThrownBy(() -> heap.lease(hmm.device(), a, Arg.Intent.OUT)).isInstanceOf(AccessViolationException.class);
            DeviceLease lease = heap.lease(hmm.device(), a.asReadOnly(), Arg.Intent.IN);
            lease.close();
            List<ThrowingCallable> handles = List.of(lease::memory, lease::queue, lease::context, lease::device);
            for (ThrowingCallable handle : handles) {
                assertThatThrownBy(handle).isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
            }
        }
    }
}
