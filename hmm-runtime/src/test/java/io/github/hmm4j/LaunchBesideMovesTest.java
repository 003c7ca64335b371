package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.emulated.Call;
import io.github.hmm4j.emulated.EmulatedGpu;
import io.github.hmm4j.emulated.Engine;
import io.github.hmm4j.migrate.MigrationReport;
import io.github.hmm4j.migrate.PageOutcome;
import io.github.hmm4j.migrate.Steps;
import java.lang.foreign.MemorySegment;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Somebody moves pages to a device, within it or home, and is held wherever that waits for the device or for others: a launch whose pages are there begins and ends meanwhile. Where a kernel is what is waited
/// for, another one comes behind it on the device, so that launch is enqueued meanwhile.
@Tag("emulated-gpu")
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class LaunchBesideMovesTest {

    private static final int OLD = 1;
    private static final int NEW = 7;
    private static final int LAUNCHES = 3;

    /// Of 4 pages, which kernels use again and again.
    private static MemorySegment there(Rig rig) {
        MemorySegment there = rig.filled(4, OLD);
        rig.add(there, 1, 0).await();
        return there;
    }

    private static void launchesEnd(Rig rig, MemorySegment there, Background<?> held) {
        Background.run(() -> {
            for (int i = 0; i < LAUNCHES; i++) {
                Launch launch = rig.add(there, 1, 0);
                launch.await();
                assertThat(launch.moves().pagesMoved()).isZero();
            }
        }).join();
        assertThat(held.isDone()).as("what is held").isFalse();
    }

    private static void requireRight(Rig rig, MemorySegment there, MemorySegment moved, int value) {
        assertThat(rig.values(there)).containsExactly(OLD + 1 + LAUNCHES);
        assertThat(rig.values(moved)).containsExactly(value);
    }

    private static Background<MigrationReport> prefetch(Rig rig, MemorySegment segment) {
        return Background.call(() -> rig.heap.prefetch(segment, rig.device(0)));
    }

    private static UnaryOperator<HmmBuilder> windows(int budgetPages, Steps steps) {
        return builder -> builder.heap(ByteSize.mib(64)).budget((long) budgetPages * Rig.PAGE).steps(steps);
    }

    @ParameterizedTest
    @EnumSource
    void whilePagesAreClaimedOrHaveCome(Steps.Step step) {
        StoppedAtStep stop = new StoppedAtStep();
        try (Rig rig = Rig.gpus(1, windows(32, stop))) {
            MemorySegment there = there(rig);
            MemorySegment coming = rig.filled(8, NEW);
            stop.arm(step, 1);
            Background<MigrationReport> move = prefetch(rig, coming);
            stop.awaitReached();
            launchesEnd(rig, there, move);
            stop.goOn();
            assertThat(move.join().count(PageOutcome.MOVED)).isEqualTo(8);
            requireRight(rig, there, coming, NEW);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whilePagesAreCopiedThere(boolean aperture) {
        try (Rig rig = aperture ? Rig.gpuAperture(1) : Rig.gpuWindows(1, 32)) {
            EmulatedGpu gpu = rig.gpu();
            MemorySegment there = there(rig);
            MemorySegment coming = rig.filled(8, NEW);
            gpu.hold(Engine.TO_DEVICE);
            long before = gpu.submitted(Engine.TO_DEVICE);
            Background<MigrationReport> move = prefetch(rig, coming);
            gpu.awaitSubmitted(Engine.TO_DEVICE, before + 1);
            launchesEnd(rig, there, move);
            gpu.resume();
            assertThat(move.join().count(PageOutcome.MOVED)).isEqualTo(8);
            requireRight(rig, there, coming, NEW);
        }
    }

    /// The budget is full of what kernels have written, which comes home first; then the others come.
    @Test
    void whileRoomIsMadeAndFilled() {
        try (Rig rig = Rig.gpuWindows(1, 16)) {
            EmulatedGpu gpu = rig.gpu();
            MemorySegment leaving = rig.filled(12, OLD);
            rig.add(leaving, 1, 0).await();
            MemorySegment there = there(rig);
            MemorySegment coming = rig.filled(12, NEW);
            gpu.hold(Engine.TO_HOST, Engine.TO_DEVICE);
            long home = gpu.submitted(Engine.TO_HOST);
            long out = gpu.submitted(Engine.TO_DEVICE);
            Background<MigrationReport> move = prefetch(rig, coming);
            gpu.awaitSubmitted(Engine.TO_HOST, home + 1);
            launchesEnd(rig, there, move);
            gpu.resume(Engine.TO_HOST);
            gpu.awaitSubmitted(Engine.TO_DEVICE, out + 1);
            launchesEnd(rig, there, move);
            gpu.resume();
            assertThat(move.join().count(PageOutcome.MOVED)).isEqualTo(12);
            assertThat(rig.values(there)).containsExactly(OLD + 1 + 2 * LAUNCHES);
            assertThat(rig.values(coming)).containsExactly(NEW);
            assertThat(rig.values(leaving)).containsExactly(OLD + 1);
        }
    }

    /// Two pages of a region with a place, whose neighbours others have got: all eight together find another.
    private record Window(MemorySegment region, MemorySegment others) {

        static Window of(Rig rig) {
            MemorySegment region = rig.filled(64, NEW); // too large to get a place as a whole
            rig.add(Rig.pages(region, 0, 2), 1, 0).await();
            MemorySegment others = rig.filled(10, OLD);
            rig.add(others, 1, 0).await();
            return new Window(region, others);
        }

        Background<MigrationReport> relocated(Rig rig) {
            return prefetch(rig, Rig.pages(region, 0, 8));
        }

        void requireRight(Rig rig, int added) {
            assertThat(rig.values(Rig.pages(region, 0, 2))).containsExactly(NEW + added);
            assertThat(rig.values(Rig.pages(region, 2, 62))).containsExactly(NEW);
            assertThat(rig.values(others)).containsExactly(OLD + 1);
        }
    }

    @Test
    void whileAWindowMovesWithinTheDevice() {
        try (Rig rig = Rig.gpuWindows(1, 64)) {
            EmulatedGpu gpu = rig.gpu();
            MemorySegment there = there(rig);
            Window window = Window.of(rig);
            gpu.hold(Engine.TO_DEVICE);
            long before = gpu.calls(Call.COPY);
            long submitted = gpu.submitted(Engine.TO_DEVICE);
            Background<MigrationReport> move = window.relocated(rig);
            gpu.awaitSubmitted(Engine.TO_DEVICE, submitted + 1);
            assertThat(gpu.calls(Call.COPY)).as("within the device").isEqualTo(before + 1);
            launchesEnd(rig, there, move);
            gpu.resume();
            move.join();
            assertThat(rig.values(there)).containsExactly(OLD + 1 + LAUNCHES);
            window.requireRight(rig, 1);
        }
    }

    /// It makes no arguments of the place that they leave.
    @Test
    void whoUsesPagesThatMoveWaitsAndFindsThemElsewhere() {
        try (Rig rig = Rig.gpuWindows(1, 64)) {
            EmulatedGpu gpu = rig.gpu();
            Window window = Window.of(rig);
            MemorySegment first = Rig.page(window.region(), 0);
            gpu.hold(Engine.TO_DEVICE);
            long submitted = gpu.submitted(Engine.TO_DEVICE);
            Background<MigrationReport> move = window.relocated(rig);
            gpu.awaitSubmitted(Engine.TO_DEVICE, submitted + 1);
            Background<Launch> launch = Background.call(() -> rig.add(first, 1, 0)).awaitWaiting();
            gpu.resume();
            move.join();
            launch.join().await();
            assertThat(rig.values(first)).containsExactly(NEW + 2);
            assertThat(rig.values(Rig.page(window.region(), 1))).containsExactly(NEW + 1);
        }
    }

    /// A kernel uses the window, and runs.
    @Test
    void whileAKernelIsWaitedForWhoseWindowIsToMove() {
        try (Rig rig = Rig.gpuWindows(1, 64)) {
            MemorySegment there = there(rig);
            Window window = Window.of(rig);
            rig.gpu().hold(Engine.COMPUTE);
            Launch running = rig.add(Rig.pages(window.region(), 0, 2), 1, 0);
            Background<MigrationReport> move = window.relocated(rig).awaitWaiting();
            Launch launch = Background.call(() -> rig.add(there, 1, 0)).join();
            assertThat(move.isDone()).isFalse();
            rig.gpu().resume();
            running.await();
            launch.await();
            move.join();
            assertThat(rig.values(there)).containsExactly(OLD + 2);
            window.requireRight(rig, 2);
        }
    }

    /// They last held another region's bytes, so they are filled with zeros before a kernel may see them that promises to overwrite them.
    @Test
    void whileFramesAreFilledThatAreToBeOverwritten() {
        try (Rig rig = Rig.gpuWindows(1, 16)) {
            EmulatedGpu gpu = rig.gpu();
            MemorySegment there = there(rig);
            MemorySegment written = rig.filled(4, OLD);
            gpu.hold(Engine.COMPUTE);
            long before = gpu.calls(Call.FILL);
            long submitted = gpu.submitted(Engine.COMPUTE);
            Background<Launch> other = Background.call(() -> rig.fill(written, NEW, 0));
            gpu.awaitSubmitted(Engine.COMPUTE, submitted + 1);
            assertThat(gpu.calls(Call.FILL)).isEqualTo(before + 1);
            Launch launch = Background.call(() -> rig.add(there, 1, 0)).join();
            assertThat(other.isDone()).isFalse();
            gpu.resume();
            launch.await();
            other.join().await();
            assertThat(rig.values(there)).containsExactly(OLD + 2);
            assertThat(rig.values(written)).containsExactly(NEW);
        }
    }

    @Test
    void whilePagesComeHome() {
        try (Rig rig = Rig.gpuWindows(1, 32)) {
            EmulatedGpu gpu = rig.gpu();
            MemorySegment there = there(rig);
            MemorySegment leaving = rig.filled(8, NEW);
            rig.add(leaving, 1, 0).await();
            gpu.hold(Engine.TO_HOST);
            long before = gpu.submitted(Engine.TO_HOST);
            Background<int[]> read = Background.call(() -> rig.values(leaving));
            gpu.awaitSubmitted(Engine.TO_HOST, before + 1);
            launchesEnd(rig, there, read);
            gpu.resume();
            assertThat(read.join()).containsExactly(NEW + 1);
            requireRight(rig, there, leaving, NEW + 1);
        }
    }

    @Test
    void whilePagesComeFromAnotherDevice() {
        try (Rig rig = Rig.gpuWindows(2, 32)) {
            MemorySegment there = there(rig);
            MemorySegment coming = rig.filled(8, NEW);
            rig.add(coming, 1, 1).await();
            rig.gpu(1).hold(Engine.TO_HOST);
            long before = rig.gpu(1).submitted(Engine.TO_HOST);
            Background<MigrationReport> move = prefetch(rig, coming);
            rig.gpu(1).awaitSubmitted(Engine.TO_HOST, before + 1);
            launchesEnd(rig, there, move);
            rig.gpu(1).resume();
            assertThat(move.join().count(PageOutcome.MOVED)).isEqualTo(8);
            requireRight(rig, there, coming, NEW + 1);
        }
    }

    /// A kernel that goes through the page table asks for more pages than one slice, where all frames are taken: the first slice travels, and others leave for the next one.
    @ParameterizedTest
    @EnumSource
    void whileARoundThroughThePageTableBringsPages(Steps.Step step) {
        StoppedAtStep stop = new StoppedAtStep();
        int pageBytes = 64 << 10;
        try (Rig rig = Rig.gpus(1, builder -> builder.pageSize(pageBytes).heap(ByteSize.mib(64)).budget(ByteSize.mib(16)).steps(stop))) {
            EmulatedGpu gpu = rig.gpu();
            Kernel bump = rig.bumpPages();
            MemorySegment all = rig.heap.allocate(ByteSize.mib(24), pageBytes);
            int pages = (int) (all.byteSize() / pageBytes);
            Kernel.Call bumpAll = bump.args(Arg.heap(Arg.inOut(all)), all.address(), (long) pageBytes);
            bumpAll.launch(NDRange.of(pages).local(1)).await(); // the last twelve MiB have all frames
            MemorySegment there = there(rig);
            MemorySegment again = all.asSlice(0, ByteSize.mib(8)); // two slices
            stop.arm(step, 1);
            Background<?> round = Background.run(() -> bump.args(Arg.heap(Arg.inOut(again)), again.address(), (long) pageBytes).launch(NDRange.of(again.byteSize() / pageBytes).local(1)).await());
            stop.awaitReached();
            launchesEnd(rig, there, round);
            gpu.hold(Engine.TO_HOST);
            long before = gpu.submitted(Engine.TO_HOST);
            stop.goOn();
            gpu.awaitSubmitted(Engine.TO_HOST, before + 1);
            launchesEnd(rig, there, round);
            gpu.resume();
            round.join();
            assertThat(rig.values(there)).containsExactly(OLD + 1 + 2 * LAUNCHES);
            for (int page = 0; page < pages; page++) {
                MemorySegment at = all.asSlice((long) page * pageBytes, Integer.BYTES);
                assertThat(rig.read(at)[0]).as("page %d", page).isEqualTo(page < again.byteSize() / pageBytes ? 2 : 1);
            }
        }
    }
}
