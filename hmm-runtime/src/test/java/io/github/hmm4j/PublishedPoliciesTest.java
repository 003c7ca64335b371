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

    private static final Source IN_TWO_PARTS = Source.text("in-two-parts.cl", """
            kernel void sum(global const int *a, global long *out, int part, int n, global volatile int *flags) {
              long s = 0;
              int i = 0;
              while (i < part) s += a[i++];
              flags[0] = 1;
              while (!flags[1024]) {}
              while (i < n) s += a[i++];
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

    /// Names what came first, but for the pages of one segment.
    private static final class Spares implements EvictionPolicy {

        private volatile PageRange spared = new PageRange(0, 0);
        private final AtomicInteger answers = new AtomicInteger(); // to questions where enough was shown
        private volatile int enough = Integer.MAX_VALUE;

        void spare(Hmm hmm, MemorySegment segment) {
            spared = hmm.heap().prefetchHost(segment).pages();
        }

        @Override
        public int[] victims(Candidates candidates, int needed) {
            if (candidates.size() >= enough) {
                answers.incrementAndGet();
            }
            return IntStream.range(0, candidates.size()).filter(i -> !spared.contains(candidates.page(i))).limit(needed).toArray();
        }

        /// Until an answer that was given to so many pages has been published: whoever asks again has done so.
        void awaitAnswer(int pages) throws InterruptedException {
            enough = pages;
            while (answers.get() < 2) {
                Thread.sleep(1);
            }
        }
    }

    /// Where nothing comes along, all that goes does so at once, and has been named: it is a quarter of what the budget has beyond the least, for two threads, and a quarter of what is there is named.
    private HmmBuilder inOneGo() {
        assumeTrue(least > 33, "one processor: its thread gives up more at once than is named");
        return builder(4L * least).ahead(AheadPolicy.NOTHING);
    }

    /// Who came first goes first, unless the policy says otherwise.
    @Test
    void thePagesThatAPolicyNamesMakeRoomFirst() {
        Spares spares = new Spares();
        for (boolean heard : new boolean[] {false, true}) {
            HmmBuilder builder = inOneGo();
            try (Hmm hmm = (heard ? builder.eviction(spares) : builder).open()) {
                MemorySegment kept = ones(hmm, least);
                MemorySegment stream = ones(hmm, 2 * least);
                spares.spare(hmm, kept);
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

    /// Before the launch nothing is there that could be named.
    @Test
    void aPolicyIsAskedAgainWhileAKernelRuns() throws InterruptedException {
        Spares spares = new Spares();
        try (Hmm hmm = inOneGo().eviction(spares).open()) {
            MemorySegment a = ones(hmm, 4 * least + least / 2);
            MemorySegment out = hmm.heap().allocate(PAGE, PAGE);
            MemorySegment flags = hmm.heap().allocate(2 * PAGE, PAGE);
            MemorySegment kept = a.asSlice(0, (long) least * PAGE);
            spares.spare(hmm, kept);
            Launch launch = hmm.program(IN_TWO_PARTS).kernel("sum").args(a, out, 3 * least * INTS, (int) (a.byteSize() / Integer.BYTES), flags)
                    .launch(NDRange.of(1));
            try {
                while (flags.get(JAVA_INT, 0) == 0) {
                    Thread.sleep(1);
                }
                spares.awaitAnswer(3 * least);
            } finally {
                flags.set(JAVA_INT, PAGE, 1);
            }
            launch.await();
            assertThat(out.get(JAVA_LONG, 0)).isEqualTo(a.byteSize() / Integer.BYTES);
            assertThat(hmm.report().count(Counter.DEVICE_EVICTED)).isPositive();
            assertThat(held(hmm, kept)).isEqualTo(least);
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
