package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.github.hmm4j.device.Device;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.opencl.ClDevice;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.policy.EvictionPolicy;
import io.github.hmm4j.space.Protection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Opening and closing heaps.
@Timeout(60)
class OpeningTest {

    @Test
    void namesSettingsThatMakeNoSense() {
        HmmBuilder builder = Hmm.builder();
        assertThatThrownBy(() -> builder.pageSize(1L << 40)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("pageSize=" + (1L << 40));
        assertThatThrownBy(() -> builder.pageSize(5000)).hasMessageContaining("pageSize=5000");
        assertThatThrownBy(() -> builder.budget(0)).hasMessageContaining("budgetBytes=0");
        ClDevice small = Rig.openDevice();
        HmmBuilder hardlyAny = Hmm.builder().budget(1).device(small);
        assertThatThrownBy(hardlyAny::open).isInstanceOf(IllegalArgumentException.class).hasMessage("budgetBytes=1 of device=" + small.info().name() + " has no room for a page, pageSize=65536");
        assertThatThrownBy(() -> small.allocate(1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> builder.launchTimeout(Duration.ofSeconds(-1))).hasMessageContaining("launchTimeout=PT-1S");
        assertThatThrownBy(() -> builder.launchTimeout(Duration.ofSeconds(Long.MAX_VALUE))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.eviction(nothing(EvictionPolicy.class))).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> builder.device(nothing(Device.class))).isInstanceOf(NullPointerException.class);
    }

    @SuppressWarnings("NullAway")
    private static <T> T nothing(Class<T> type) {
        return type.cast(null);
    }

    @Test
    void closesItsDevicesWhenItCannotOpen() {
        ClDevice given = Rig.openDevice();
        HmmBuilder builder = Hmm.builder().heap(-5).device(given);
        assertThatThrownBy(builder::open).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("capacityBytes=-5");
        assertThatThrownBy(() -> given.allocate(1)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void closesItsDevicesHoweverEarlyItFails(@TempDir Path folder) {
        ClDevice traced = Rig.openDevice();
        HmmBuilder untraceable = Hmm.builder().device(traced).trace(folder);
        assertThatThrownBy(untraceable::open).isInstanceOf(UncheckedIOException.class).hasMessageContaining("trace=" + folder);
        assertThatThrownBy(() -> traced.allocate(1)).isInstanceOf(IllegalStateException.class);

        ClDevice given = Rig.openDevice();
        HmmBuilder undecided = Hmm.builder().device(given).hostOnly();
        assertThatThrownBy(undecided::open).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("hostOnly=true");
        assertThatThrownBy(() -> given.allocate(1)).isInstanceOf(IllegalStateException.class);
    }

    /// On an emulated GPU, say.
    @Test
    void saysWhyKernelsOfADeviceWithMemoryOfItsOwnCannotFault() {
        assumeFalse(FirstDevice.worksInHostMemory(), "they can");
        assertThatThrownBy(Hmm.builder().deviceFaults()::open).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("deviceFaults: device=").hasMessageContaining("does not work in host memory");
    }

    @Test
    void leavesTheDevicesOfAHeapThatIsOpen() {
        ClDevice given = Rig.openDevice();
        HmmBuilder builder = Hmm.builder().device(given);
        try (Hmm _ = builder.open()) {
            assertThatThrownBy(builder.hostOnly()::open).isInstanceOf(IllegalArgumentException.class);
            given.allocate(1).close();
        }
    }

    @Test
    void aTerabyteOpensAndTakesHardlyAnyMemory() throws IOException {
        try (Rig small = Rig.windows(1, 64)) { // a driver's compiler is large
            small.add(small.filled(1, 1), 1, 0).await();
        }
        long before = residentBytes();
        try (Rig rig = Rig.open(1, builder -> builder.heap(1L << 40).budget(64L * Rig.PAGE))) {
            MemorySegment huge = rig.heap.allocate(1L << 39, 1);
            rig.add(huge.asSlice((1L << 39) - Rig.PAGE, Rig.PAGE), 1, 0).await();
            assertThat(rig.values(huge.asSlice((1L << 39) - Rig.PAGE, Rig.PAGE))).containsExactly(1);
            assertThat(residentBytes() - before).isLessThan(64L << 20);
        }
    }

    private static long residentBytes() throws IOException {
        return Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ")[1]) * 4096;
    }

    @Test
    void closingTwiceIsFineAndUsingItAfterwardsIsNot() {
        Rig rig = Rig.windows(1, 16);
        MemorySegment a = rig.filled(1, 1);
        var call = rig.kernel("add").args(a, 1, 1);
        Launch launch = call.launch(NDRange.of(1));
        rig.close();
        rig.close();
        assertThat(launch.await().isDone()).isTrue();
        assertThatThrownBy(() -> call.launch(NDRange.of(1))).isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
        assertThatThrownBy(() -> rig.heap.view(a, Access.READ)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> rig.heap.allocate(1, 1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> rig.heap.free(a)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> rig.kernel("add")).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> rig.hmm.evictAll(rig.device(0))).isInstanceOf(IllegalStateException.class);
        assertThat(rig.hmm.report().toString()).contains("LAUNCH");
    }

    @Test
    void aProgramIsGivenAllOfItsOptionsOrNone() {
        try (Rig rig = Rig.windows(1, 16)) {
            assertThatThrownBy(() -> rig.hmm.program(Source.text("k.cl", ""), "\0"))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("index=0");
        }
    }

    @Test
    void aForgottenViewIsALeakAndNeverACrash() {
        Rig rig = Rig.windows(1, 16);
        MemorySegment a = rig.filled(1, 7);
        HostView view = rig.heap.view(a, Access.WRITE);
        rig.close();
        view.segment().setAtIndex(JAVA_INT, 1, 8);
        assertThat(view.segment().getAtIndex(JAVA_INT, 0)).isEqualTo(7);
        view.close();
        assertThatThrownBy(() -> view.segment().getAtIndex(JAVA_INT, 0)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void closingWithinACallbackIsRefused() {
        try (Rig rig = Rig.windows(1, 16)) {
            MemorySegment a = rig.filled(1, 1);
            Throwable[] thrown = new Throwable[1];
            try (var _ = rig.heap.mirror(a, new ReentrantLock(), _ -> {
                try {
                    rig.hmm.close();
                } catch (IllegalStateException e) {
                    thrown[0] = e;
                }
            })) {
                rig.heap.protect(a, Protection.READ);
            }
            assertThat(thrown[0]).hasMessageContaining("callback");
        }
    }
}
