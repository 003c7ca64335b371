package io.github.hmm4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Launch;
import io.github.hmm4j.Program;
import io.github.hmm4j.Report;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.sim.Operation;
import io.github.hmm4j.device.sim.SimDevice;
import io.github.hmm4j.error.DeviceLostException;
import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.error.PagePoisonedException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.mirror.SnapshotCode;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Fails every device call of a program in turn, and loses the device at every call in turn.
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class FailureWalkTest {

    private static final int PAGE_BYTES = 4096;

    /// After each failure every page is where it was and holds what it held, and the program goes on to the right end.
    ///
    /// The floor is how often an operation must have been failed, so that a program that no longer uses it is noticed.
    @ParameterizedTest
    @CsvSource({
        "SIM_PRIVATE, true, ALLOC, 1", "SIM_PRIVATE, true, SLICE, 8", "SIM_PRIVATE, true, COPY_TO_DEVICE, 5",
        "SIM_PRIVATE, true, COPY_TO_HOST, 5", "SIM_PRIVATE, true, ZERO, 2", "SIM_PRIVATE, true, COPY_ON_DEVICE, 1", "SIM_PRIVATE, true, LAUNCH, 8",
        "SIM_PRIVATE, true, WAIT, 20",
        "SIM_PRIVATE, false, ALLOC, 1", "SIM_PRIVATE, false, SLICE, 4", "SIM_PRIVATE, false, COPY_TO_DEVICE, 3",
        "SIM_PRIVATE, false, COPY_TO_HOST, 3", "SIM_PRIVATE, false, ZERO, 1", "SIM_PRIVATE, false, LAUNCH, 8", "SIM_PRIVATE, false, WAIT, 15",
        "SIM_COHERENT, false, SLICE, 0", "SIM_COHERENT, false, LAUNCH, 8", "SIM_COHERENT, false, WAIT, 8"
    })
    void everyFailedCallLeavesPagesWhereTheyWere(Backend backend, boolean windows, Operation kind, int floor) {
        int nth = 0;
        boolean struck = true;
        while (struck) {
            nth++;
            try (Rig rig = open(backend, windows)) {
                long callsBefore = rig.sim(0).calls(kind);
                rig.sim(0).failAt(kind, nth);
                new Walk(rig, nth % 2 == 0).failing();
                struck = rig.sim(0).calls(kind) - callsBefore >= nth;
            } catch (RuntimeException | Error e) {
                throw new AssertionError("%s, windows=%s, %s failed at call %d".formatted(backend, windows, kind, nth), e);
            }
        }
        assertThat(nth - 1).as("calls of %s failed", kind).isGreaterThanOrEqualTo(floor);
    }

    /// Pages that only the lost device held are poisoned, all others are intact, and the heap closes.
    @ParameterizedTest
    @CsvSource({"SIM_PRIVATE, true", "SIM_PRIVATE, false", "SIM_COHERENT, false"})
    void losingTheDeviceLosesOnlyWhatItHeld(Backend backend, boolean windows) {
        int nth = 0;
        boolean lost = true;
        int poisoned = 0;
        while (lost) {
            nth++;
            try (Rig rig = open(backend, windows)) {
                lost = loseAt(rig, nth);
                poisoned += (int) rig.hmm.report().count(Counter.POISONED_PAGES);
            } catch (RuntimeException | Error e) {
                throw new AssertionError("%s, windows=%s, lost at call %d".formatted(backend, windows, nth), e);
            }
        }
        assertThat(nth).isGreaterThan(8);
        assertThat(poisoned > 0).as("pages were poisoned").isEqualTo(!backend.isCoherent());
    }

    private static boolean loseAt(Rig rig, int nth) {
        AtomicInteger calls = new AtomicInteger();
        rig.sim(0).onSubmit(_ -> {
            if (calls.incrementAndGet() == nth) {
                rig.sim(0).loseDevice();
            }
        });
        new Walk(rig, false).losing();
        return calls.get() >= nth;
    }

    @Test
    void programsThatFailToBuildCanBeBuiltAgain() {
        for (Operation kind : List.of(Operation.BUILD, Operation.KERNEL)) {
            SimDevice device = SimDevice.builder().kernels(AccessKernels.all()).open();
            try (Hmm hmm = Hmm.builder().device(device).heap(ByteSize.mib(2)).open()) {
                Program program = hmm.program(Source.resource("access.cl"));
                device.failNext(kind, 1);
                assertThatThrownBy(() -> program.kernel("add_ints")).isInstanceOf(OpenClFailedException.class);
                assertThat(program.kernel("add_ints").name()).isEqualTo("add_ints");
            }
            assertThat(device.openObjects()).isZero();
        }
    }

    private static Rig open(Backend backend, boolean windows) {
        long heapBytes = ByteSize.mib(2);
        return new Rig(backend.builder(1).heap(heapBytes).pageSize(PAGE_BYTES)
                .budget(windows ? (long) WalkProgram.BUDGET_PAGES * PAGE_BYTES : heapBytes));
    }

    /// One run of the program.
    private static final class Walk {

        private final Rig rig;
        private final WalkProgram program;
        private final boolean lookAfterFailure;

        Walk(Rig rig, boolean lookAfterFailure) {
            this.rig = rig;
            this.lookAfterFailure = lookAfterFailure;
            program = new WalkProgram(rig);
        }

        void failing() {
            for (WalkProgram.Step step : program.steps()) {
                try {
                    start(step, OpenClFailedException.class);
                } catch (RuntimeException | Error e) {
                    throw new AssertionError(step.name(), e);
                }
            }
            program.assertEveryByteRight();
        }

        /// Does a step, and does it again if it fails at the start.
        private void start(WalkProgram.Step step, Class<? extends HmmException> failure) {
            List<SnapshotCode> before = program.where();
            long evictedBefore = evicted();
            Launch launch;
            try {
                launch = step.operation().get();
            } catch (HmmException e) {
                assertThat(e instanceof DeviceMemoryExhaustedException ? e.getCause() : e).isInstanceOf(failure); // an aperture that the device refuses
                assertWhereTheyWere(before, program.where(), evicted() > evictedBefore);
                if (lookAfterFailure) {
                    program.assertEveryByteRight();
                }
                launch = step.operation().get();
            }
            step.effect().run();
            if (launch != null) {
                try {
                    launch.await();
                } catch (HmmException e) {
                    assertThat(e).isInstanceOf(failure);
                    assertThat(replaceWhatIsLost()).as("pages poisoned").isPositive();
                }
            }
        }

        /// What a failed kernel was to write is lost; with the right contents written by the host the program goes on.
        private int replaceWhatIsLost() {
            int lost = 0;
            List<SnapshotCode> after = program.where();
            for (int page = 0; page < after.size(); page++) {
                if (after.get(page) == SnapshotCode.ERROR) {
                    MemorySegment segment = program.page(page);
                    assertThatThrownBy(() -> rig.touch(segment)).isInstanceOf(PagePoisonedException.class);
                    rig.heap.discard(segment);
                    rig.write(segment, program.expectedOf(page));
                    lost++;
                }
            }
            return lost;
        }

        private long evicted() {
            Report report = rig.hmm.report();
            return report.count(Counter.EVICTED_CLEAN_PAGES) + report.count(Counter.EVICTED_DIRTY_PAGES);
        }

        /// Where nothing was evicted to make room, exactly; else some pages may have come home.
        private void assertWhereTheyWere(List<SnapshotCode> before, List<SnapshotCode> after, boolean someEvicted) {
            for (int page = 0; page < before.size(); page++) {
                boolean cameHome = someEvicted && after.get(page) == SnapshotCode.WRITE
                        && (isLocal(before.get(page)) || before.get(page) == SnapshotCode.READ);
                if (!cameHome) {
                    assertThat(after.get(page)).as("page %d", page).isEqualTo(before.get(page));
                }
            }
        }

        void losing() {
            for (WalkProgram.Step step : program.steps()) {
                List<SnapshotCode> before = program.where();
                try {
                    Launch launch = step.operation().get();
                    step.effect().run();
                    if (launch != null) {
                        launch.await();
                    }
                } catch (DeviceLostException _) {
                    try {
                        assertOnlyTheDevicesPagesAreLost(before, program.where());
                        return;
                    } catch (RuntimeException | Error e) {
                        throw new AssertionError(step.name(), e);
                    }
                }
            }
            program.assertEveryByteRight();
        }

        private void assertOnlyTheDevicesPagesAreLost(List<SnapshotCode> before, List<SnapshotCode> after) {
            boolean coherent = rig.device(0).info().coherent();
            for (int page = 0; page < after.size(); page++) {
                boolean poisoned = after.get(page) == SnapshotCode.ERROR;
                if (poisoned) {
                    assertThat(isLocal(before.get(page))).as("page %d is poisoned and was %s", page, before.get(page)).isTrue();
                }
                MemorySegment segment = program.page(page);
                if (poisoned || (isLocal(after.get(page)) && !coherent)) {
                    assertLost(segment);
                } else {
                    Rig.assertSame(rig.read(segment), program.expectedOf(page));
                }
                rig.heap.discard(segment);
                Rig.assertZeros(rig.read(segment));
            }
        }

        private void assertLost(MemorySegment page) {
            assertThatThrownBy(() -> rig.touch(page)).isInstanceOfAny(DeviceLostException.class, PagePoisonedException.class);
            assertThatThrownBy(() -> rig.touch(page)).isInstanceOf(PagePoisonedException.class);
            assertThatThrownBy(() -> rig.launchAdd(rig.device(0), page, 1)).isInstanceOf(PagePoisonedException.class);
        }

        private static boolean isLocal(SnapshotCode code) {
            return (code.code() & 0xf0) == 0x20 || (code.code() & 0xf0) == 0x40;
        }
    }
}
