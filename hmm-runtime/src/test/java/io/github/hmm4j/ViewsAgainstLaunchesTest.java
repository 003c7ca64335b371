package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.emulated.Call;
import io.github.hmm4j.emulated.Engine;
import io.github.hmm4j.error.LaunchBlockedException;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.migrate.Steps;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/// Host views and launches that want the same pages, step by step.
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
@Tag("emulated-gpu")
class ViewsAgainstLaunchesTest {

    @Test
    void aViewWaitsForTheKernelThatWritesItsPageAndForNoOther() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment a = rig.filled(2, 1);
            MemorySegment b = rig.filled(2, 2);
            rig.add(b, 1, 0).await();
            rig.gpu().hold(Engine.COMPUTE);
            Launch launch = rig.add(a, 1, 0);
            assertThat(rig.values(b)).containsExactly(3); // fetched beside the running kernel
            Background<int[]> read = Background.call(() -> rig.values(a)).awaitWaiting();
            assertThat(launch.isDone()).isFalse();
            rig.gpu().resume(Engine.COMPUTE);
            assertThat(read.join()).containsExactly(2);
        }
    }

    @Test
    void aReadViewDoesNotWaitForAKernelThatReads() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment in = rig.filled(2, 1);
            MemorySegment out = rig.pages(2);
            rig.fill(out, 0, 0).await(); // else its zeros would be held as well
            rig.gpu().hold(Engine.COMPUTE);
            Launch launch = rig.copy(out, in, 0);
            assertThat(rig.values(in)).containsExactly(1);
            Background<Boolean> write = Background.run(() -> rig.write(in, 7)).awaitWaiting();
            assertThat(launch.isDone()).isFalse();
            rig.gpu().resume(Engine.COMPUTE);
            write.join();
            assertThat(rig.values(out)).containsExactly(1);
            assertThat(rig.values(in)).containsExactly(7);
        }
    }

    /// Nor where the host has not got the page.
    @Test
    void aFetchDoesNotWaitForAKernelThatReads() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment in = rig.filled(2, 1);
            MemorySegment out = rig.pages(2);
            rig.add(in, 1, 0).await();
            rig.fill(out, 0, 0).await();
            rig.gpu().hold(Engine.COMPUTE);
            Launch launch = rig.copy(out, in, 0);
            assertThat(rig.values(in)).containsExactly(2);
            assertThat(launch.isDone()).isFalse();
            rig.gpu().resume(Engine.COMPUTE);
            assertThat(rig.values(out)).containsExactly(2);
        }
    }

    @Test
    void aLaunchThatWouldWaitForItsOwnThreadIsRefused() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment a = rig.filled(2, 1);
            try (HostView view = rig.heap.view(Rig.page(a, 1), Access.READ)) {
                assertThatThrownBy(() -> rig.add(a, 1, 0)).isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("add").hasMessageContaining("read view");
                rig.add(Rig.page(a, 0), 1, 0).await();
                rig.copy(rig.pages(2), a, 0).await(); // reading beside a read view is fine
                assertThat(view.segment().get(JAVA_INT, 0)).isEqualTo(1);
            }
            rig.add(a, 1, 0).await();
        }
    }

    /// Who has opened it need not be who closes it.
    @Test
    void aLaunchWaitsForASharedViewOfItsOwnThread() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment a = rig.filled(2, 1);
            HostView view = rig.heap.sharedView(a, Access.WRITE);
            Background<Boolean> closing = Background.run(() -> {
                awaitCount(rig, Counter.LAUNCH_WAITS, 1);
                view.close();
            });
            rig.add(a, 1, 0).await();
            closing.join();
            assertThat(rig.values(a)).containsExactly(2);
        }
    }

    @Test
    void aLaunchWaitsForTheViewOfAnotherThread() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment a = rig.filled(2, 1);
            HostView view = rig.heap.view(a, Access.WRITE);
            Background<Launch> launch = Background.call(() -> rig.add(a, 1, 0));
            awaitCount(rig, Counter.LAUNCH_WAITS, 1);
            view.segment().setAtIndex(JAVA_INT, 0, 40);
            view.close();
            launch.join().await();
            assertThat(rig.read(a)[0]).isEqualTo(41);
        }
    }

    /// An interrupt is not the end of the launch's time.
    @Test
    void anInterruptedThreadWaitsForViewsAndStaysInterrupted() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment a = rig.filled(2, 1);
            HostView view = rig.heap.view(a, Access.WRITE);
            Background<Boolean> launching = Background.call(() -> {
                Thread.currentThread().interrupt();
                rig.add(a, 1, 0).await();
                return Thread.interrupted();
            });
            awaitCount(rig, Counter.LAUNCH_WAITS, 1);
            launching.awaitWaiting();
            view.close();
            assertThat(launching.join()).as("stays interrupted").isTrue();
            assertThat(rig.values(a)).containsExactly(2);
        }
    }

    @Test
    void aLaunchGivesUpAfterItsTimeAndPutsPagesBack() {
        try (Rig rig = Rig.gpus(1, builder -> builder.heap(ByteSize.mib(64)).launchTimeout(Duration.ofMillis(20)))) {
            MemorySegment a = rig.filled(2, 1);
            MemorySegment b = rig.filled(2, 2);
            try (HostView _ = rig.heap.view(b, Access.READ)) {
                Background<Launch> launch = Background.call(() -> rig.kernel("two").args(a, b).launch(NDRange.of(1)));
                assertThatThrownBy(launch::join).isInstanceOf(LaunchBlockedException.class)
                        .hasMessageContaining("kernel=two").hasMessageContaining(Thread.currentThread().getName());
                assertThat(rig.heap.residency(a).hostBytes()).isEqualTo(2L * Rig.PAGE);
            }
            rig.kernel("two").args(a, b).launch(NDRange.of(1)).await();
        }
    }

    /// Views that come and go elsewhere do not give the launch more time.
    @Test
    void aLaunchGivesUpAlsoWhileOtherViewsClose() {
        try (Rig rig = Rig.gpus(1, builder -> builder.heap(ByteSize.mib(64)).launchTimeout(Duration.ofMillis(20)))) {
            MemorySegment a = rig.filled(2, 1);
            MemorySegment elsewhere = rig.filled(1, 2);
            try (HostView _ = rig.heap.view(a, Access.READ)) {
                Background<Launch> launch = Background.call(() -> rig.add(a, 1, 0));
                long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
                while (!launch.isDone() && System.nanoTime() - deadline < 0) {
                    rig.values(elsewhere);
                }
                assertThat(launch.isDone()).as("gave up").isTrue();
                assertThatThrownBy(launch::join).isInstanceOf(LaunchBlockedException.class);
            }
        }
    }

    /// A view that fails half-way lets go of the pages it had; the launch that waits for them must hear of it.
    @Test
    void aLaunchGoesOnWhenTheViewItWaitsForFails() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment a = rig.filled(2, 1);
            rig.add(Rig.page(a, 1), 1, 0).await();
            rig.gpu().hold(Engine.TO_HOST);
            rig.gpu().failEnd(Call.READ, 1);
            long before = rig.gpu().submitted(Engine.TO_HOST);
            Background<int[]> view = Background.call(() -> rig.read(a)); // holds page 0 while page 1 is copied
            rig.gpu().awaitSubmitted(Engine.TO_HOST, before + 1);
            Background<Launch> launch = Background.call(() -> rig.add(Rig.page(a, 0), 1, 0));
            awaitCount(rig, Counter.LAUNCH_WAITS, 1);
            launch.awaitWaiting();
            rig.gpu().resume(Engine.TO_HOST);
            assertThatThrownBy(view::join).isInstanceOf(OpenClFailedException.class);
            launch.join().await();
            assertThat(rig.values(a)).containsExactly(2);
        }
    }

    /// Another thread takes a page back each time just before the gate; after a few losses it is held off.
    @Test
    void aLaunchThatKeepsLosingItsPagesGetsThrough() {
        AtomicReference<Runnable> thief = new AtomicReference<>(() -> {});
        Steps steps = step -> {
            if (step == Steps.Step.COPIED) {
                thief.get().run();
            }
        };
        try (Rig rig = Rig.gpus(1, builder -> builder.heap(ByteSize.mib(64)).budget(32L * Rig.PAGE).steps(steps))) {
            MemorySegment a = rig.filled(8, 1);
            AtomicInteger taken = new AtomicInteger();
            thief.set(() -> {
                if (taken.get() < 3) {
                    Background.run(() -> rig.write(Rig.page(a, 0), 10 + taken.incrementAndGet())).join();
                }
            });
            rig.add(a, 100, 0).await();
            assertThat(taken).hasValue(3);
            assertThat(rig.count(Counter.LAUNCH_RETRIES)).isEqualTo(3);
            assertThat(rig.values(Rig.page(a, 0))).containsExactly(113);
            assertThat(rig.values(Rig.page(a, 7))).containsExactly(101);
        }
    }

    @Test
    void aLaunchGetsThroughAThreadThatOpensViewsWithoutPause() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment a = rig.filled(16, 0);
            AtomicBoolean stop = new AtomicBoolean();
            CountDownLatch started = new CountDownLatch(1);
            Background<Boolean> reader = Background.run(() -> {
                while (!stop.get()) {
                    rig.values(a);
                    started.countDown();
                }
            });
            started.countDown();
            for (int i = 0; i < 50; i++) {
                rig.add(a, 1, 0).await();
            }
            stop.set(true);
            reader.join();
            assertThat(rig.values(a)).containsExactly(50);
        }
    }

    @Test
    void severalLaunchesAreInFlightAndInOrder() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            MemorySegment a = rig.filled(2, 0);
            MemorySegment b = rig.filled(2, 0);
            rig.add(a, 0, 0).await();
            rig.add(b, 0, 0).await();
            rig.gpu().hold(Engine.COMPUTE);
            Launch last = null;
            for (int i = 0; i < 100; i++) {
                rig.add(a, 1, 0);
                last = rig.copy(b, a, 0);
            }
            assertThat(last.isDone()).isFalse();
            rig.gpu().resume(Engine.COMPUTE);
            last.await();
            assertThat(rig.values(b)).containsExactly(100);
        }
    }

    static void awaitCount(Rig rig, Counter counter, long count) {
        long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (rig.count(counter) < count) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError(counter + " stays at " + rig.count(counter));
            }
            Thread.onSpinWait();
        }
    }
}
