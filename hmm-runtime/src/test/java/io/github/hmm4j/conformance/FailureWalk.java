package io.github.hmm4j.conformance;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.Access;
import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Launch;
import io.github.hmm4j.Report;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.opencl.CopyMode;
import io.github.hmm4j.emulated.Call;
import io.github.hmm4j.emulated.EmulatedGpu;
import io.github.hmm4j.emulated.Turns;
import io.github.hmm4j.error.DeviceLostException;
import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.InPlaceUnavailableException;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.error.PagePoisonedException;
import io.github.hmm4j.mirror.SnapshotCode;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.params.Parameter;

/// Runs a program again and again, with another call or command that fails each time, or with a device that is lost at another call ([Turns]).
///
/// With transparent access the host loads and stores as it likes: what cannot be served is an `InternalError`, after which a part of a step may be done, and a view tells why.
abstract class FailureWalk {

    private static final int PAGE_BYTES = 4096;
    private static final int OPENINGS = 5;

    @Parameter
    Backend backend;

    interface Arm {
        void nth(EmulatedGpu gpu, Call call, long nth);
    }

    /// @param floor calls that the program makes at least, so that a program that no longer uses it is noticed
    final void walk(CopyMode copies, boolean windows, Call call, int floor, Arm arm) {
        long made = 0; // in the last turn nothing fails, so that those are all calls that the program makes
        boolean struck = true;
        for (int nth = 1; struck; nth = Turns.after(nth)) {
            EmulatedGpu.reset();
            try (Rig rig = open(copies, windows)) {
                EmulatedGpu gpu = rig.gpu(0);
                long callsBefore = gpu.calls(call);
                arm.nth(gpu, call, nth);
                new Walk(rig, nth % 2 == 0).failing();
                made = gpu.calls(call) - callsBefore;
                struck = made >= nth;
                gpu.clear();
            } catch (RuntimeException | Error e) {
                throw new AssertionError("%s, %s, windows=%s, %s failed at call %d".formatted(backend, copies, windows, call, nth), e);
            }
            Rig.assertObjectsLeft(0, "call %d failed".formatted(nth));
        }
        assertThat(made).as("calls of %s", call).isGreaterThanOrEqualTo(floor);
    }

    /// Pages that only the lost device held are poisoned, all others are intact, and the heap closes.
    ///
    /// @return pages poisoned in all of it
    final long lose(CopyMode copies, boolean windows) {
        long made = 0;
        boolean lost = true;
        long poisoned = 0;
        for (int nth = 1; lost; nth = Turns.after(nth)) {
            EmulatedGpu.reset();
            Rig rig = open(copies, windows);
            try {
                EmulatedGpu gpu = rig.gpu(0);
                long callsBefore = gpu.calls();
                gpu.loseAt(nth);
                new Walk(rig, false).losing();
                made = gpu.calls() - callsBefore;
                lost = made >= nth;
                poisoned += rig.hmm.report().count(Counter.POISONED_PAGES);
            } catch (RuntimeException | Error e) {
                closeThoughItFails(rig, DeviceLostException.class);
                throw new AssertionError("%s, %s, windows=%s, lost at call %d".formatted(backend, copies, windows, nth), e);
            }
            closeThoughItFails(rig, DeviceLostException.class);
            Rig.assertObjectsLeft(0, "the device was lost at call %d".formatted(nth));
        }
        assertThat(made).as("calls").isGreaterThan(8);
        return poisoned;
    }

    static void closeThoughItFails(Rig rig, Class<? extends HmmException> why) {
        try {
            rig.close();
        } catch (IllegalStateException e) {
            assertThat(e.getSuppressed()).isNotEmpty().hasOnlyElementsOfType(why);
        }
    }

    /// On a busy machine the proof that host and kernel see each other's words may run out of turns; with so many heaps that happens.
    final Rig open(CopyMode copies, boolean windows) {
        for (int tries = 1; tries < OPENINGS; tries++) {
            try {
                return openOnce(copies, windows);
            } catch (InPlaceUnavailableException _) {
                continue;
            }
        }
        return openOnce(copies, windows);
    }

    private Rig openOnce(CopyMode copies, boolean windows) {
        long heapBytes = ByteSize.mib(2);
        return new Rig(backend.builder(1).heap(heapBytes).pageSize(PAGE_BYTES).copy(copies)
                .budget(windows ? (long) WalkProgram.BUDGET_PAGES * PAGE_BYTES : heapBytes));
    }

    /// One run of the program.
    static final class Walk {

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
            } catch (InternalError e) {
                assertMayBeOfATouch(step, e);
                assertWhereTheyWere(before, program.where(), true);
                if (lookAfterFailure) {
                    List<int[]> expected = program.expected();
                    step.effect().run();
                    for (int page = 0; page < before.size(); page++) {
                        assertHoldsEither(page, expected.get(page));
                    }
                }
                launch = step.operation().get();
            }
            step.effect().run();
            if (launch != null) {
                try {
                    launch.await();
                } catch (HmmException e) {
                    assertThat(e).isInstanceOf(failure);
                    if (rig.isInPlace()) {
                        program.writeAll(); // the host could see what the kernel wrote all the time, so nothing is poisoned
                    } else {
                        assertThat(replaceWhatIsLost()).as("pages poisoned").isPositive();
                    }
                }
            }
        }

        private void assertMayBeOfATouch(WalkProgram.Step step, InternalError e) {
            if (!rig.isTransparent() || !step.byHost()) {
                throw e;
            }
        }

        /// What it should, number by number, before a step of the host or after it: the store that was not served is told of a few stores later.
        private void assertHoldsEither(int page, int[] before) {
            int[] after = program.expectedOf(page);
            try (var view = rig.heap.view(program.page(page), Access.READ)) {
                int[] seen = view.segment().toArray(JAVA_INT);
                Rig.assertSame(seen, IntStream.range(0, seen.length).map(i -> seen[i] == before[i] ? before[i] : after[i]).toArray());
            }
        }

        /// What a failed kernel was to write is lost; with the right contents written by the host the program goes on.
        private int replaceWhatIsLost() {
            int lost = 0;
            List<SnapshotCode> after = program.where();
            for (int page = 0; page < after.size(); page++) {
                if (after.get(page) == SnapshotCode.ERROR) {
                    MemorySegment segment = program.page(page);
                    assertPoisoned(segment);
                    assertThatThrownBy(() -> rig.launchAdd(rig.device(0), segment, 1)).isInstanceOf(PagePoisonedException.class);
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

        /// Where nothing was evicted to make room, nor touched before the touch that failed, nor brought home for a kernel that uses it there, exactly; else some pages may have come home.
        private void assertWhereTheyWere(List<SnapshotCode> before, List<SnapshotCode> after, boolean someCame) {
            for (int page = 0; page < before.size(); page++) {
                boolean cameHome = (someCame || rig.isInPlace()) && (after.get(page) == SnapshotCode.WRITE || after.get(page) == SnapshotCode.READ)
                        && (isLocal(before.get(page)) || before.get(page) == SnapshotCode.READ);
                boolean gotMemory = rig.isInPlace() && before.get(page) == SnapshotCode.NONE && after.get(page) == SnapshotCode.WRITE; // for the kernel; it holds zeros
                if (!cameHome && !gotMemory) {
                    assertThat(after.get(page)).as("page %d", page).isEqualTo(before.get(page));
                }
            }
        }

        void losing() {
            for (WalkProgram.Step step : program.steps()) {
                List<SnapshotCode> where = program.where();
                List<int[]> before = program.expected();
                try {
                    Launch launch = step.operation().get();
                    step.effect().run();
                    if (launch != null) {
                        launch.await();
                    }
                } catch (DeviceLostException _) {
                    assertOnlyTheDevicesPagesAreLost(step.name(), where, before);
                    return;
                } catch (InternalError e) {
                    assertMayBeOfATouch(step, e);
                    step.effect().run();
                    assertOnlyTheDevicesPagesAreLost(step.name(), where, before);
                    return;
                }
            }
            try {
                program.assertEveryByteRight();
            } catch (DeviceLostException _) { // at the last call, which nobody needed
                assertOnlyTheDevicesPagesAreLost("the end", program.where(), program.expected());
            }
        }

        private void assertOnlyTheDevicesPagesAreLost(String step, List<SnapshotCode> where, List<int[]> before) {
            try {
                assertOnlyTheDevicesPagesAreLost(where, program.where(), before);
            } catch (RuntimeException | Error e) {
                throw new AssertionError(step, e);
            }
        }

        private void assertOnlyTheDevicesPagesAreLost(List<SnapshotCode> where, List<SnapshotCode> after, List<int[]> before) {
            for (int page = 0; page < after.size(); page++) {
                boolean poisoned = after.get(page) == SnapshotCode.ERROR;
                if (poisoned) {
                    assertThat(isLocal(where.get(page))).as("page %d is poisoned and was %s", page, where.get(page)).isTrue();
                }
                MemorySegment segment = program.page(page);
                if (poisoned || isLocal(after.get(page))) {
                    assertLost(segment);
                } else {
                    assertHoldsEither(page, before.get(page));
                }
                rig.heap.discard(segment);
                Rig.assertZeros(rig.read(segment));
            }
        }

        private void assertLost(MemorySegment page) {
            assertThatThrownBy(() -> rig.heap.view(page, Access.READ)).isInstanceOfAny(DeviceLostException.class, PagePoisonedException.class);
            assertPoisoned(page);
            assertThatThrownBy(() -> rig.launchAdd(rig.device(0), page, 1)).isInstanceOfAny(DeviceLostException.class, PagePoisonedException.class); // whichever is found first
        }

        private void assertPoisoned(MemorySegment page) {
            assertThatThrownBy(() -> rig.heap.view(page, Access.READ)).isInstanceOf(PagePoisonedException.class);
            if (rig.isTransparent()) {
                assertThatThrownBy(() -> rig.touch(page)).isInstanceOf(InternalError.class);
            }
        }

        private static boolean isLocal(SnapshotCode code) {
            return code == SnapshotCode.DEVICE_PRIVATE_LOCAL_READ || code == SnapshotCode.DEVICE_PRIVATE_LOCAL_WRITE;
        }
    }
}
