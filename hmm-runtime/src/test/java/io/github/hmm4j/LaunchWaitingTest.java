package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.emulated.Call;
import io.github.hmm4j.emulated.Engine;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/// Waiting for a launch otherwise than for as long as it takes.
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
@Tag("emulated-gpu")
class LaunchWaitingTest {

    private static final Duration LONG = Duration.ofSeconds(50);
    private static final Duration SHORT = Duration.ofMillis(5);

    @Test
    void forALimitedTime() throws Exception {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment a = rig.filled(1, 5);
            rig.gpu().hold(Engine.COMPUTE);
            Launch launch = rig.add(a, 1, 0);
            assertThat(launch.await(SHORT)).isFalse();
            assertThat(launch.await(Duration.ZERO)).isFalse();
            assertThat(launch.await(Duration.ofSeconds(-1))).isFalse();
            assertThat(launch).hasToString("launch of kernel=add on device 0 (" + rig.deviceName(0) + "), under way");
            rig.gpu().resume(Engine.COMPUTE);
            assertThat(launch.await(LONG)).isTrue();
            assertThat(launch.await(Duration.ofSeconds(Long.MAX_VALUE))).isTrue(); // more nanoseconds than a long holds
            assertThat(launch).hasToString("launch of kernel=add on device 0 (" + rig.deviceName(0) + "), ended");
            assertThat(rig.values(a)).containsExactly(6);
        }
    }

    @Test
    void aFailureIsTold() throws Exception {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment a = rig.filled(1, 5);
            rig.add(a, 0, 0).await();
            rig.gpu().failEnd(Call.LAUNCH, 1);
            Launch launch = rig.add(a, 1, 0);
            assertThatThrownBy(() -> launch.await(LONG)).isInstanceOf(OpenClFailedException.class);
            assertThatThrownBy(() -> launch.whenDone().toCompletableFuture().join()).isInstanceOf(CompletionException.class).hasCauseInstanceOf(OpenClFailedException.class);
        }
    }

    @Test
    void anInterruptEndsTheWaitAndNotTheKernel() throws Exception {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment a = rig.filled(1, 5);
            rig.gpu().hold(Engine.COMPUTE);
            Launch launch = rig.add(a, 1, 0);
            CountDownLatch began = new CountDownLatch(1);
            CompletableFuture<Throwable> outcome = new CompletableFuture<>();
            Thread waiting = Thread.ofPlatform().start(() -> {
                began.countDown();
                try {
                    outcome.complete(new AssertionError("ended: " + launch.await(LONG)));
                } catch (InterruptedException e) {
                    outcome.complete(e);
                }
            });
            began.await();
            waiting.interrupt();
            assertThat(outcome.join()).isInstanceOf(InterruptedException.class).hasMessageContaining("kernel=add");
            rig.gpu().resume(Engine.COMPUTE);
            assertThat(rig.values(a)).containsExactly(6);
        }
    }

    @Test
    void stagesAreCompletedInWhicheverOrderLaunchesEnd() {
        try (Rig rig = Rig.gpuWindows(2, 32)) {
            MemorySegment a = rig.filled(1, 5);
            MemorySegment b = rig.filled(1, 7);
            rig.gpu(0).hold(Engine.COMPUTE);
            Launch first = rig.add(a, 1, 0);
            CompletableFuture<Launch> late = first.whenDone().toCompletableFuture();
            List<CompletableFuture<Integer>> early = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                early.add(rig.add(b, 1, 1).whenDone().thenApply(launch -> launch.isDone() ? 1 : 0).toCompletableFuture());
            }
            assertThat(early.stream().mapToInt(CompletableFuture::join).sum()).isEqualTo(200);
            assertThat(late).isNotDone();
            rig.gpu(0).resume(Engine.COMPUTE);
            assertThat(late.join()).isSameAs(first);
            assertThat(rig.values(b)).containsExactly(207);
        }
    }

    @Test
    void closingTheHeapEndsWhatIsAwaited() {
        CompletableFuture<Launch> stage;
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(4)).open()) {
            MemorySegment a = hmm.heap().allocate(Rig.PAGE);
            stage = hmm.program(Source.resource("access.cl")).kernel("add_ints").args(a, 1, Rig.INTS).launch(NDRange.of(Rig.INTS)).whenDone().toCompletableFuture();
        }
        assertThat(stage.join().isDone()).isTrue();
    }
}
