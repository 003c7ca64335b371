package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess.Mode;
import io.github.hmm4j.pager.Ladder;
import io.github.hmm4j.policy.AheadPolicy;
import io.github.hmm4j.policy.Candidates;
import io.github.hmm4j.policy.EvictionPolicy;
import io.github.hmm4j.policy.StreamsAhead;
import io.github.hmm4j.space.PageRange;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What policies say reaches faults of kernels, in the middle of which nobody can ask them.
@Timeout(60)
final class PublishedPoliciesTest {

    private static final int PAGE = 4096;
    private static final int INTS = PAGE / Integer.BYTES;

    private static final Source PLAIN = Source.text("plain.cl", """
            kernel void sum(global const int *a, global long *out, int n) {
              long s = 0;
              for (int i = 0; i < n; i++) s += a[i];
              out[0] = s;
            }
            """);

    private int least;

    @BeforeEach
    void needsKernelsThatFault() {
        assumeTrue(Ladder.best().mode() == Mode.UFFD && FirstDevice.worksInHostMemory(), "kernels cannot fault here");
        assumeTrue(FirstDevice.runsLongLoops(), "kernels of this device end loops early");
        try (Hmm any = Hmm.builder().heap(ByteSize.mib(2)).open()) {
            least = 33 * any.device().info().computeUnits();
        }
        assumeTrue(least <= 600, "many processors");
    }

    private static HmmBuilder builder(long budgetPages) {
        return Hmm.builder().heap(ByteSize.mib(64)).pageSize(PAGE).budget(budgetPages * PAGE).deviceFaults();
    }

    private static MemorySegment ones(Hmm hmm, int pages) {
        MemorySegment segment = hmm.heap().allocate((long) pages * PAGE, PAGE);
        for (int i = 0; i < pages * INTS; i++) {
            segment.setAtIndex(JAVA_INT, i, 1);
        }
        return segment;
    }

    private static void sum(Hmm hmm, MemorySegment segment) {
        MemorySegment out = hmm.heap().allocate(Long.BYTES);
        int count = (int) (segment.byteSize() / Integer.BYTES);
        hmm.program(PLAIN).kernel("sum").args(segment, out, count).launch(NDRange.of(1)).await();
        assertThat(out.get(JAVA_LONG, 0)).isEqualTo(count);
        hmm.heap().free(out);
    }

    private static long held(Hmm hmm, MemorySegment segment) {
        return hmm.heap().residency(segment).heldOn(hmm.device()) / PAGE;
    }

    /// Who came first goes first, unless the policy says otherwise.
    @Test
    void thePagesThatAPolicyNamesMakeRoomFirst() {
        int budget = 4 * least;
        AtomicLong from = new AtomicLong(); // pages of the heap that it spares
        AtomicLong to = new AtomicLong();
        EvictionPolicy spares = (candidates, needed) -> IntStream.range(0, candidates.size())
                .filter(i -> candidates.page(i) < from.get() || candidates.page(i) >= to.get()).limit(needed).toArray();
        for (boolean heard : new boolean[] {false, true}) {
            HmmBuilder builder = builder(budget);
            try (Hmm hmm = (heard ? builder.eviction(spares) : builder).open()) {
                MemorySegment kept = ones(hmm, least);
                MemorySegment stream = ones(hmm, 2 * least);
                PageRange pages = hmm.heap().prefetchHost(kept).pages();
                from.set(pages.first());
                to.set(pages.end());
                sum(hmm, kept);
                sum(hmm, stream);
                MemorySegment more = ones(hmm, 2 * least - least / 2); // for which half of the first would do
                sum(hmm, more);
                if (heard) {
                    assertThat(held(hmm, kept)).isEqualTo(least);
                } else {
                    assertThat(held(hmm, kept)).isLessThan(least);
                }
            }
        }
    }

    /// The kernel goes on whatever the policy does, and its faults ask nobody.
    @Test
    void aPolicyThatFailsOrSleepsHoldsNobodyUp() {
        AtomicInteger asked = new AtomicInteger();
        EvictionPolicy bad = new EvictionPolicy() {
            @Override
            public int[] victims(Candidates candidates, int framesNeeded) {
                if (asked.incrementAndGet() % 2 == 0) {
                    throw new IllegalStateException("a policy that does not work");
                }
                return new int[] {candidates.size()};
            }
        };
        try (Hmm hmm = builder(least + 7).eviction(bad).open()) {
            MemorySegment a = ones(hmm, 4 * least);
            for (int i = 0; i < 5; i++) {
                sum(hmm, a);
            }
            assertThat(asked.get()).isGreaterThanOrEqualTo(4);
            assertThat(hmm.report().count(Counter.DEVICE_EVICTED)).isGreaterThan(least);
        }
    }

    @Test
    void noMoreComesAlongThanAPolicySays() {
        int budget = 16 * least;
        assertThat(along(builder(budget).ahead(AheadPolicy.NOTHING))).isZero();
        long few = along(builder(budget).ahead(new StreamsAhead(1)));
        assertThat(few).isBetween(1L, 2L * least);
        assertThat(along(builder(budget))).isGreaterThan(few);
        assertThat(along(builder(budget).ahead(new AheadPolicy() {
            @Override
            public Watch watch() {
                return (_, _) -> 0;
            }

            @Override
            public long mostPages() {
                throw new IllegalStateException("a policy that does not work");
            }
        }))).isZero();
    }

    private long along(HmmBuilder builder) {
        try (Hmm hmm = builder.open()) {
            sum(hmm, ones(hmm, 4 * least));
            return hmm.report().count(Counter.DEVICE_AHEAD);
        }
    }

    /// Under a quota no room is made ahead before it is used up. So the stream meets its end within what is to come along, unless the quota happens to be a multiple of that; two in a row are not.
    @Test
    void whatHasNoPlaceIsCountedAsLate() {
        long late = 0;
        for (int quota = 2 * least; quota < 2 * least + 2; quota++) {
            try (Hmm hmm = builder(16 * least).open()) {
                MemorySegment a = ones(hmm, 8 * least);
                hmm.heap().quota(a, hmm.device(), (long) quota * PAGE);
                sum(hmm, a);
                assertThat(hmm.report().count(Counter.DEVICE_AHEAD)).isPositive();
                late += hmm.report().count(Counter.DEVICE_AHEAD_LATE);
            }
        }
        assertThat(late).isPositive();
    }
}
