package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.emulated.Call;
import io.github.hmm4j.emulated.Engine;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.error.PrecedingLaunchFailedException;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/// Launches that come after others although they share no memory.
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
@Tag("emulated-gpu")
class LaunchOrderTest {

    private static Kernel.Call add(Rig rig, MemorySegment segment, int delta) {
        return rig.kernel("add").args(segment, delta, Rig.ints(segment));
    }

    @Test
    void onOneDeviceNobodyWaits() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment a = rig.filled(1, 1);
            MemorySegment b = rig.filled(1, 2);
            rig.gpu().hold(Engine.COMPUTE);
            Launch first = add(rig, a, 1).launch(NDRange.of(1));
            Launch second = add(rig, b, 1).after(first).launch(NDRange.of(1));
            assertThat(second.isDone()).isFalse();
            rig.gpu().resume(Engine.COMPUTE);
            second.await();
            assertThat(first.isDone()).isTrue();
            assertThat(rig.values(b)).containsExactly(3);
        }
    }

    @Test
    void onAnotherDeviceTheLaunchWaits() {
        try (Rig rig = Rig.gpuWindows(2, 32)) {
            MemorySegment a = rig.filled(1, 1);
            MemorySegment b = rig.filled(1, 2);
            rig.gpu().hold(Engine.COMPUTE);
            Launch first = add(rig, a, 1).launch(NDRange.of(1), rig.device(0));
            Background<Launch> second = Background.call(() -> add(rig, b, 1).after(first).launch(NDRange.of(1), rig.device(1))).awaitWaiting();
            assertThat(rig.values(b)).containsExactly(2);
            rig.gpu().resume(Engine.COMPUTE);
            second.join().await();
            assertThat(first.isDone()).isTrue();
            assertThat(rig.values(b)).containsExactly(3);
        }
    }

    @Test
    void aFailureThatIsKnownKeepsItFromRunning() {
        try (Rig rig = Rig.gpuWindows(2, 32)) {
            MemorySegment a = rig.filled(1, 1);
            MemorySegment b = rig.filled(1, 2);
            add(rig, a, 0).launch(NDRange.of(1)).await(); // its page is there, so that the next command waited for is the kernel
            rig.gpu().failEnd(Call.LAUNCH, 1);
            Launch first = add(rig, a, 1).launch(NDRange.of(1));
            assertThatThrownBy(first::await).isInstanceOf(OpenClFailedException.class);
            for (HmmDevice device : rig.hmm.devices()) {
                assertThatThrownBy(() -> add(rig, b, 1).after(first).launch(NDRange.of(1), device)).isInstanceOf(PrecedingLaunchFailedException.class)
                        .hasMessageContaining("kernel=add was to come after the launch of kernel=add on device 0 (" + rig.deviceName(0) + "), which failed; nothing ran").hasCauseInstanceOf(OpenClFailedException.class);
            }
            assertThat(rig.values(b)).containsExactly(2);
        }
    }

    @Test
    void aFailureThatComesLaterFailsAllBehindIt() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment a = rig.filled(1, 1);
            MemorySegment b = rig.filled(1, 2);
            add(rig, a, 0).launch(NDRange.of(1)).await();
            add(rig, b, 0).launch(NDRange.of(1)).await();
            rig.gpu().hold(Engine.COMPUTE);
            rig.gpu().failEnd(Call.LAUNCH, 1);
            Launch first = add(rig, a, 1).launch(NDRange.of(1));
            Launch second = add(rig, b, 1).after(first).launch(NDRange.of(1));
            Launch third = add(rig, b, 1).after(second).launch(NDRange.of(1));
            Launch other = add(rig, b, 1).launch(NDRange.of(1));
            rig.gpu().resume(Engine.COMPUTE);
            for (Launch launch : new Launch[] {third, second, second}) {
                assertThatThrownBy(launch::await).isInstanceOf(PrecedingLaunchFailedException.class).hasMessageContaining("has run on what there was");
            }
            assertThat(second.whenDone().toCompletableFuture()).failsWithin(java.time.Duration.ofSeconds(30));
            other.await();
            assertThat(rig.values(b)).containsExactly(5);
        }
    }

    /// Neither a stack as deep as the row nor the row itself is kept.
    @Test
    void aLongRowOfThem() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment a = rig.filled(1, 0);
            Launch last = add(rig, a, 1).launch(NDRange.of(1));
            for (int i = 1; i < 20_000; i++) {
                last = add(rig, a, 1).after(last).launch(NDRange.of(1));
            }
            last.await();
            assertThat(rig.values(a)).containsExactly(20_000);
        }
    }
}
