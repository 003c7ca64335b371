package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.migrate.MigrationReport;
import io.github.hmm4j.migrate.PageOutcome;
import io.github.hmm4j.migrate.Steps;
import io.github.hmm4j.pager.HostAccess.Mode;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Somebody moves pages to a device, and is stopped in the middle; others launch there meanwhile.
@Timeout(60)
class LaunchDuringMigrationTest {

    private static final int PAGE = 4096;
    private static final int INTS = PAGE / 4;
    private static final int HEAP_BYTES = (int) ByteSize.mib(16);
    private static final int OLD = 1;
    private static final int NEW = 7;

    private static final String TWO = """
        kernel void fill_two(global int *a, global int *b, const int value) {
            a[get_global_id(0)] = value;
            b[get_global_id(0)] = value;
        }
        """;

    private static Hmm open(Mode mode, int budgetBytes, Steps steps) {
        return Hmm.builder().heap(HEAP_BYTES).pageSize(PAGE).faultAround(0).hostAccess(mode).budget(budgetBytes).steps(steps).open();
    }

    private static MemorySegment filled(Hmm hmm, int value) {
        MemorySegment ints = hmm.heap().allocate(PAGE, PAGE);
        set(hmm, ints, value);
        return ints;
    }

    private static void set(Hmm hmm, MemorySegment ints, int value) {
        try (var view = hmm.heap().view(ints, Access.WRITE)) {
            for (int i = 0; i < INTS; i++) {
                view.segment().setAtIndex(JAVA_INT, i, value);
            }
        }
    }

    private static int[] ints(Hmm hmm, MemorySegment ints) {
        try (var view = hmm.heap().view(ints, Access.READ)) {
            return view.segment().toArray(JAVA_INT);
        }
    }

    /// In an aperture and in windows. The pages that are there are used while others travel, and those find their way all the same.
    @ParameterizedTest
    @CsvSource({"UFFD,16", "UFFD,4", "SIGSEGV,4", "CHECKED,16", "CHECKED,4"})
    void aLaunchOnWhatIsThereDoesNotWait(Mode mode, int budgetMib) {
        StoppedAtStep stop = new StoppedAtStep();
        try (Hmm hmm = open(mode, (int) ByteSize.mib(budgetMib), stop)) {
            Kernel add = hmm.program(Source.resource("access.cl")).kernel("add_ints");
            MemorySegment there = filled(hmm, OLD);
            MemorySegment travels = filled(hmm, NEW);
            add.args(there, 1, INTS).launch(NDRange.of(INTS)).await();
            stop.arm(Steps.Step.COPIED, 1);
            Background<MigrationReport> migration = Background.call(() -> hmm.heap().prefetch(travels, hmm.device()));
            stop.awaitReached();
            for (int i = 0; i < 10; i++) {
                Launch launch = add.args(there, 1, INTS).launch(NDRange.of(INTS));
                launch.await();
                assertThat(launch.moves().pagesMoved()).isZero();
            }
            stop.goOn();
            assertThat(migration.join().count(PageOutcome.MOVED)).isEqualTo(1);
            assertThat(ints(hmm, there)).containsOnly(OLD + 11);
            assertThat(ints(hmm, travels)).containsOnly(NEW);
        }
    }

    /// What a launch is going to overwrite has a frame without its contents before the kernel is enqueued. No other launch sees it like that.
    @ParameterizedTest
    @CsvSource({"UFFD,16", "UFFD,4", "SIGSEGV,4", "CHECKED,16", "CHECKED,4"})
    void whatIsToBeOverwrittenIsNotSeenBefore(Mode mode, int budgetMib) {
        StoppedAtStep stop = new StoppedAtStep();
        try (Hmm hmm = open(mode, (int) ByteSize.mib(budgetMib), stop)) {
            Program program = hmm.program(Source.text("two.cl", TWO));
            Kernel copy = hmm.program(Source.resource("access.cl")).kernel("copy_ints");
            MemorySegment first = filled(hmm, OLD);
            MemorySegment second = filled(hmm, OLD);
            MemorySegment seen = filled(hmm, 0);
            copy.args(seen, Arg.out(filled(hmm, 0)), INTS).launch(NDRange.of(INTS)).await(); // the reader's own page is there
            stop.arm(Steps.Step.COPIED, 1); // both outputs have their places then
            Background<Launch> writer = Background.call(() -> program.kernel("fill_two").args(Arg.out(first), Arg.out(second), NEW).launch(NDRange.of(INTS)));
            stop.awaitReached();
            Background<Launch> reader = Background.call(() -> copy.args(first, Arg.out(seen), INTS).launch(NDRange.of(INTS))).awaitWaiting();
            stop.goOn();
            writer.join().await();
            reader.join().await();
            assertThat(ints(hmm, seen)).containsOnly(NEW);
            assertThat(ints(hmm, second)).containsOnly(NEW);
        }
    }

    /// Nor does the host: it takes the page back, with what it held, and the launch that has lost it goes round again.
    @ParameterizedTest
    @CsvSource({"UFFD,16", "UFFD,4", "SIGSEGV,4", "CHECKED,16", "CHECKED,4"})
    void theHostReadsWhatAnOutputHeldUntilItsKernelIsEnqueued(Mode mode, int budgetMib) {
        StoppedAtStep stop = new StoppedAtStep();
        try (Hmm hmm = open(mode, (int) ByteSize.mib(budgetMib), stop)) {
            Kernel fill = hmm.program(Source.text("two.cl", TWO)).kernel("fill_two");
            MemorySegment first = filled(hmm, OLD);
            MemorySegment second = hmm.heap().allocate(PAGE, PAGE); // nobody has touched it
            stop.arm(Steps.Step.COPIED, 1);
            Background<Launch> writer = Background.call(() -> fill.args(Arg.out(first), Arg.out(second), NEW).launch(NDRange.of(INTS)));
            stop.awaitReached();
            assertThat(ints(hmm, first)).containsOnly(OLD);
            assertThat(ints(hmm, second)).containsOnly(0);
            set(hmm, second, OLD); // before the kernel, which overwrites it
            stop.goOn();
            Launch launch = writer.join();
            launch.await();
            assertThat(launch.moves().rounds()).isEqualTo(2);
            assertThat(ints(hmm, first)).containsOnly(NEW);
            assertThat(ints(hmm, second)).containsOnly(NEW);
        }
    }
}
