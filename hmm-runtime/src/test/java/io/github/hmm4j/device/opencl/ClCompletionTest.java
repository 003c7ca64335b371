package io.github.hmm4j.device.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.hmm4j.error.DeviceLostException;
import io.github.hmm4j.error.OpenClFailedException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The owner of an event, over a driver that answers what a test wants.
@Timeout(60)
final class ClCompletionTest {

    private static final long EVENT = 77;
    private static final long PROBE = 78;

    /// What `clGetEventInfo` answers; 1 is a command that runs.
    private volatile int status = 1;
    private volatile boolean cannotWait;
    private volatile boolean cannotFinish;
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicInteger released = new AtomicInteger();
    private final AtomicInteger finished = new AtomicInteger();
    private final CountDownLatch end = new CountDownLatch(1);
    /// What becomes of the fill that tells whether the device is still there; 0 if it does.
    private volatile int probe;
    private volatile boolean probeEnds = true;
    private final AtomicInteger probes = new AtomicInteger();

    private final ClApi api = (ClApi) Proxy.newProxyInstance(
            ClApi.class.getClassLoader(), new Class<?>[] {ClApi.class}, (_, method, arguments) -> switch (method.getName()) {
                case "createQueue", "createBuffer" -> 1L;
                case "enqueueZero" -> {
                    probes.incrementAndGet();
                    if (probe != 0) {
                        throw ClStatus.failure(probe, "clEnqueueFillBuffer", null);
                    }
                    yield PROBE;
                }
                case "releaseQueue", "releaseMemory" -> null;
                case "waitFor" -> {
                    assertThat(arguments[0]).as("what may take for ever is not waited for").isNotEqualTo(PROBE);
                    if (cannotWait) {
                        throw ClStatus.failure(-5, "clWaitForEvents", null);
                    }
                    waiting.incrementAndGet();
                    if (status > 0) {
                        end.await();
                    }
                    yield null;
                }
                case "eventStatus" -> {
                    if ((long) arguments[0] == PROBE) {
                        yield probeEnds ? 0 : 1;
                    }
                    assertThat(released).as("asked after the release").hasValue(0);
                    yield status;
                }
                case "eventTime" -> 0L;
                case "releaseEvent" -> {
                    released.addAndGet((long) arguments[0] == PROBE ? 0 : 1);
                    yield null;
                }
                case "finish" -> {
                    finished.incrementAndGet();
                    if (cannotFinish) {
                        throw ClStatus.failure(-5, "clFinish", null);
                    }
                    yield null;
                }
                case "flush" -> null;
                default -> throw new AssertionError("unexpected call: " + method);
            });
    private final ClCompletion completion = new ClQueue(api, 0, 0, "gpu", true, false).submit(EVENT, "clEnqueueX", () -> "kernel=k");

    @Test
    void releasesOnceTheEndIsSeen() {
        assertThat(completion.isDone()).isFalse();
        assertThat(released).hasValue(0);
        status = 0;
        assertThat(completion.isDone()).isTrue();
        assertThat(released).hasValue(1);
        completion.await();
        assertThat(completion.isDone()).isTrue();
        assertThat(released).hasValue(1);
    }

    /// To be told of the end makes nothing visible to other queues; to have waited for it does.
    @Test
    void whoHearsOfTheEndHasWaitedForIt() {
        status = 0;
        assertThat(completion.isDone()).isTrue();
        assertThat(waiting).hasValue(1);
        completion.await();
        assertThat(waiting).hasValue(1);
    }

    @Test
    void everyAwaitThrowsTheSameFailure() {
        status = -5;
        end.countDown();
        Throwable first = catchThrowable(completion::await);
        assertThat(first).isInstanceOf(OpenClFailedException.class)
                .hasMessageContaining("clEnqueueX failed: status=CL_OUT_OF_RESOURCES(-5), kernel=k");
        assertThat(catchThrowable(completion::await)).isSameAs(first);
        assertThat(completion.isDone()).isTrue();
        assertThat(completion.deviceNanos()).isEqualTo(-1);
        assertThat(released).hasValue(1);
    }

    @Test
    void aLostDeviceIsALostDevice() {
        for (int lost : new int[] {-2, -34, -36, -1121, -9999}) {
            assertThat(ClStatus.failure(lost, "clX", null)).isInstanceOf(DeviceLostException.class)
                    .hasCauseInstanceOf(OpenClFailedException.class);
        }
        status = -9999;
        end.countDown();
        assertThat(catchThrowable(completion::await)).isInstanceOf(DeviceLostException.class);
    }

    /// The same status says that one command was too much, and that nothing works any more: a small fill tells.
    @Test
    void outOfResourcesIsALostDeviceOnlyIfItDoesNotAnswer() {
        status = -5;
        end.countDown();
        assertThat(completion.isDone()).isTrue();
        assertThat(probes).as("whoever only looks does not wait for a device").hasValue(0);
        probe = -5;
        Throwable first = catchThrowable(completion::await);
        assertThat(first).isInstanceOf(DeviceLostException.class).hasMessageContaining("kernel=k").hasMessageContaining("clEnqueueX");
        assertThat(catchThrowable(completion::await)).isSameAs(first);
        assertThat(probes).hasValue(1);
    }

    @Test
    void aDeviceWithoutMemoryIsThere() {
        status = -5;
        end.countDown();
        probe = -4;
        assertThat(catchThrowable(completion::await)).isInstanceOf(OpenClFailedException.class);
    }

    /// It may have a kernel to run that takes longer than anybody waits here.
    @Test
    void aDeviceThatIsBusyIsThere() {
        probeEnds = false;
        assertThat(ClProbe.answers(api, 0, 0, Duration.ofMillis(50))).isTrue();
        assertThat(probes).hasValue(1);
    }

    /// A wait that fails knows a handle only.
    @Test
    void aWaitThatFailsNamesWhatItWasFor() {
        cannotWait = true;
        cannotFinish = true;
        status = 0;
        assertThat(catchThrowable(completion::await)).isInstanceOf(OpenClFailedException.class)
                .hasMessage("clWaitForEvents failed: status=CL_OUT_OF_RESOURCES(-5), kernel=k, after clEnqueueX");
    }

    @Test
    void aFailureIsToldWithItsDeviceOnce() {
        assertThat(ClStatus.on("gpu", ClStatus.failure(-36, "clFinish", null))).isInstanceOf(DeviceLostException.class).hasMessageContaining("device=gpu, call=clFinish;");
        assertThat(ClStatus.retold(ClStatus.failure(-36, "clX", "global=[7]"), "kernel=k, device=gpu")).isInstanceOf(DeviceLostException.class)
                .hasMessageContaining("device=gpu, call=clX (kernel=k);");
        OpenClFailedException failed = (OpenClFailedException) ClStatus.on("gpu", ClStatus.failure(-4, "clCreateBuffer", "bytes=7"));
        assertThat(failed).hasMessage("clCreateBuffer failed: status=CL_MEM_OBJECT_ALLOCATION_FAILURE(-4), bytes=7, device=gpu");
        assertThat(ClStatus.on("another", failed)).isSameAs(failed);
    }

    @Test
    void aWaitThatFailsDoesNotInventAFailure() {
        cannotWait = true;
        status = 0;
        completion.await();
        assertThat(finished).hasValue(1);
        assertThat(released).hasValue(1);
    }

    @Test
    void theLastOfManyWaitersReleases() throws Exception {
        int waiters = 4;
        try (var pool = Executors.newFixedThreadPool(waiters)) {
            for (int i = 0; i < waiters; i++) {
                pool.submit(completion::await);
            }
            while (waiting.get() < waiters) {
                Thread.onSpinWait();
            }
            // One sees the end while the others are still inside the driver's wait.
            status = 0;
            assertThat(completion.isDone()).isTrue();
            assertThat(released).hasValue(0);
            end.countDown();
        }
        assertThat(released).hasValue(1);
    }
}
