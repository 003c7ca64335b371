package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.migrate.Steps;
import io.github.hmm4j.pager.HostAccess.Mode;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// A launch whose pages the host takes away again and again gets through all the same, and nobody's bytes are lost. Host and kernel use the same pages and never the same bytes.
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class InsistentLaunchTest {

    private static final int PAGE = 4096;
    private static final int PAGES = 4;
    private static final int PATIENCE = 3; // of a launch, before it insists
    private static final int INTS = PAGES * PAGE / 4 - 2 * 32; // the kernel's: all but 128 bytes at either end
    private static final int HAMMERS = 3;
    private static final int LAUNCHES = 150;

    private static HmmBuilder builder(Mode mode) {
        return Hmm.builder().heap(ByteSize.mib(4)).pageSize(PAGE).budget(16L * PAGE).hostAccess(mode);
    }

    /// Each time that the pages are copied, and before they are the device's, a store takes one of them back: three times the launch goes round, then it insists.
    @ParameterizedTest
    @CsvSource({"UFFD, false", "UFFD, true", "SIGSEGV, false", "SIGSEGV, true"})
    void whatIsTakenEachTimeIsInsistedOn(Mode mode, boolean overwrites) {
        AtomicReference<MemorySegment> contested = new AtomicReference<>();
        AtomicInteger stores = new AtomicInteger();
        Steps thief = step -> {
            MemorySegment pages = contested.get();
            if (step == Steps.Step.COPIED && pages != null) {
                pages.set(JAVA_INT, 0, stores.incrementAndGet());
            }
        };
        try (Hmm hmm = builder(mode).steps(thief).open()) {
            MemorySegment pages = hmm.heap().allocate(PAGES * PAGE, 1);
            MemorySegment kernels = pages.asSlice(128, 4L * INTS);
            for (int i = 0; i < INTS; i++) {
                kernels.setAtIndex(JAVA_INT, i, i);
            }
            Program program = hmm.program(Source.resource("access.cl"));
            contested.set(pages);
            if (overwrites) {
                program.kernel("fill_ramp").args(Arg.out(kernels), 5, 1, INTS).launch(NDRange.of(INTS)).await();
            } else {
                program.kernel("add_ints").args(kernels, 5, INTS).launch(NDRange.of(INTS)).await();
            }
            contested.set(null);
            assertThat(hmm.report().count(Counter.LAUNCH_RETRIES)).isEqualTo(PATIENCE);
            assertThat(stores.get()).isGreaterThan(PATIENCE);
            for (int i = 0; i < INTS; i++) {
                assertThat(kernels.getAtIndex(JAVA_INT, i)).as("int %d", i).isEqualTo(i + 5);
            }
            assertThat(pages.get(JAVA_INT, 0)).isEqualTo(stores.get());
        }
    }

    /// Threads that store into the same pages without a pause: every launch gets through, no store and no kernel is lost.
    @ParameterizedTest
    @EnumSource(value = Mode.class, names = {"UFFD", "SIGSEGV"})
    void launchesGetThroughAgainstStoresWithoutPause(Mode mode) throws InterruptedException {
        try (Hmm hmm = builder(mode).launchTimeout(Duration.ofSeconds(50)).open()) {
            MemorySegment pages = hmm.heap().allocate(PAGES * PAGE, 1);
            MemorySegment kernels = pages.asSlice(128, 4L * INTS);
            Kernel add = hmm.program(Source.resource("access.cl")).kernel("add_ints");
            AtomicBoolean stop = new AtomicBoolean();
            List<Background<?>> hammers = new ArrayList<>();
            for (int i = 0; i < HAMMERS; i++) {
                long at = i == 0 ? 0 : PAGES * PAGE - Long.BYTES * (long) i; // on the first page, and two on the last
                hammers.add(Background.run(() -> hammer(pages.asSlice(at, Long.BYTES), stop)));
            }
            for (int i = 0; i < LAUNCHES; i++) {
                Launch _ = add.args(kernels, 1, INTS).launch(NDRange.of(INTS));
            }
            stop.set(true);
            hammers.forEach(Background::join);
            for (int i = 0; i < INTS; i++) {
                assertThat(kernels.getAtIndex(JAVA_INT, i)).as("int %d", i).isEqualTo(LAUNCHES);
            }
        }
    }

    /// Nobody else stores here, so what is there is what was stored last.
    private static void hammer(MemorySegment cell, AtomicBoolean stop) {
        long stored = 0;
        while (!stop.get()) {
            long seen = cell.get(JAVA_LONG, 0);
            if (seen != stored) {
                throw new AssertionError("cell at 0x%x is %d, expected %d".formatted(cell.address(), seen, stored));
            }
            cell.set(JAVA_LONG, 0, ++stored);
        }
        assertThat(cell.get(JAVA_LONG, 0)).isEqualTo(stored);
    }
}
