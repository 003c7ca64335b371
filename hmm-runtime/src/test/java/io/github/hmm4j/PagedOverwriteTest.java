package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess.Mode;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.policy.EvictionPolicy;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Outputs of kernels that go through the page table: their old contents are dead, and what one round has written is not, whoever brought the page.
@Timeout(value = 60, unit = TimeUnit.SECONDS)
final class PagedOverwriteTest {

    private static final int PAGE = 4096;
    private static final int INTS = PAGE / Integer.BYTES;
    private static final int BUDGET = 2; // pages

    private static NDRange groups(long bytes) {
        return NDRange.covering(new long[] {bytes / (32 * Integer.BYTES)}, 4);
    }

    /// The page that is written was there before the launch, so no fault of it brought it. Each half of it is copied from another page, of which one was there, too. For the other one it leaves, with what was written to its
    /// first half, and comes back for its second.
    @ParameterizedTest
    @EnumSource(value = Mode.class, names = {"UFFD", "CHECKED"})
    void whatARoundWroteToAPageThatWasThereStaysWritten(Mode mode) {
        AtomicLong first = new AtomicLong();
        EvictionPolicy outputsFirst = (candidates, _) -> IntStream.range(0, candidates.size()).boxed()
                .sorted((a, b) -> Boolean.compare(candidates.page(b) == first.get(), candidates.page(a) == first.get())).mapToInt(Integer::intValue).toArray();
        try (Hmm hmm = Hmm.builder().hostAccess(mode).heap(ByteSize.mib(64)).pageSize(PAGE).budget(BUDGET * PAGE).eviction(outputsFirst).open()) {
            Program program = hmm.program(Source.resource("paged_access.cl"));
            Kernel fill = program.kernel("fill_paged");
            Kernel add = program.kernel("add_paged");
            Kernel copy = program.kernel("copy_paged");
            MemorySegment out = hmm.heap().allocate(JAVA_INT, INTS);
            MemorySegment two = hmm.heap().allocate(JAVA_INT, 2 * INTS);
            MemorySegment in = two.asSlice(PAGE / 2, PAGE);
            first.set(hmm.heap().prefetchHost(out).pages().first());
            try (HostView view = hmm.heap().view(in, Access.WRITE)) {
                for (int i = 0; i < INTS; i++) {
                    view.segment().setAtIndex(JAVA_INT, i, 1000 + i);
                }
            }
            fill.args(Arg.heap(Arg.inOut(out)), out.address(), 7, INTS).launch(groups(PAGE)).await();
            add.args(Arg.heap(Arg.inOut(in)), in.address(), 0, INTS / 2).launch(groups(PAGE / 2)).await();

            Launch launch = copy.args(Arg.heap(Arg.in(in), Arg.out(out)), in.address(), out.address(), INTS).launch(groups(PAGE));
            launch.await();

            try (HostView view = hmm.heap().view(out, Access.READ)) {
                int[] expected = new int[INTS];
                Arrays.setAll(expected, i -> 1000 + i);
                assertThat(view.segment().toArray(JAVA_INT)).isEqualTo(expected);
            }
            assertThat(launch.moves().rounds()).isGreaterThan(2);
            assertThat(hmm.report().count(Counter.EVICTED_DIRTY_PAGES)).as("pages that left with what was written").isPositive();
        }
    }
}
