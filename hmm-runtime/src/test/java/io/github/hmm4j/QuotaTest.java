package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.QuotaExceededException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess.Mode;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.pager.Ladder;
import io.github.hmm4j.space.PageSize;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What an allocation may take of a device.
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class QuotaTest {

    private static final int PAGE = 4096;
    private static final int INTS = PAGE / Integer.BYTES;
    private static final int GROUP = 32; // ints of one work-item

    private static final Source PLAIN = Source.text("plain.cl", """
            kernel void add(global int *a, int delta) { a[get_global_id(0)] += delta; }
            kernel void add_all(global int *a, int delta, int n) { for (int i = 0; i < n; i++) a[get_global_id(0) * n + i] += delta; }
            """);

    private static Hmm open(int budgetPages) {
        return Hmm.builder().heap(ByteSize.mib(16)).pageSize(PAGE).budget((long) budgetPages * PAGE).open();
    }

    private static MemorySegment ints(Hmm hmm, int pages, int first) {
        MemorySegment segment = hmm.heap().allocate((long) pages * PAGE, PAGE);
        try (HostView view = hmm.heap().view(segment, Access.WRITE)) {
            for (int i = 0; i < pages * INTS; i++) {
                view.segment().setAtIndex(JAVA_INT, i, first + i);
            }
        }
        return segment;
    }

    private static int[] intsOf(Hmm hmm, MemorySegment segment) {
        try (HostView view = hmm.heap().view(segment, Access.READ)) {
            return view.segment().toArray(JAVA_INT);
        }
    }

    private static long held(Hmm hmm, MemorySegment segment) {
        return hmm.heap().residency(segment).heldOn(hmm.device()) / PAGE;
    }

    private static void quota(Hmm hmm, MemorySegment segment, int pages) {
        hmm.heap().quota(segment, hmm.device(), (long) pages * PAGE);
    }

    private static void add(Hmm hmm, MemorySegment segment, int delta) {
        hmm.program(PLAIN).kernel("add").args(segment, delta).launch(NDRange.of(segment.byteSize() / Integer.BYTES)).await();
    }

    private static void addPaged(Hmm hmm, MemorySegment segment, int delta) {
        int count = (int) (segment.byteSize() / Integer.BYTES);
        hmm.program(Source.resource("paged_access.cl")).kernel("add_paged").args(Arg.heap(Arg.inOut(segment)), segment.address(), delta, count)
                .launch(NDRange.of(Math.ceilDiv(count, GROUP)).local(1)).await();
    }

    @Test
    void aPageThatComesTakesThePlaceOfAnotherOfItsRegion() {
        try (Hmm hmm = open(64)) {
            MemorySegment a = ints(hmm, 16, 7);
            MemorySegment other = ints(hmm, 16, 1);
            add(hmm, other, 1);
            quota(hmm, a, 4);
            for (int slice = 0; slice < 8; slice++) {
                add(hmm, a.asSlice(2L * PAGE * slice, 2L * PAGE), 100);
                assertThat(held(hmm, a)).isEqualTo(slice == 0 ? 2 : 4);
            }
            assertThat(held(hmm, other)).isEqualTo(16);
            assertThat(hmm.report().count(Counter.EVICTED_QUOTA_PAGES)).isEqualTo(12);
            assertThat(intsOf(hmm, a)).isEqualTo(IntStream.range(0, 16 * INTS).map(i -> i + 107).toArray());
        }
    }

    @Test
    void whatNeedsMoreIsRefusedByName() {
        try (Hmm hmm = open(64)) {
            MemorySegment a = ints(hmm, 16, 0);
            quota(hmm, a, 4);
            assertThatThrownBy(() -> add(hmm, a.asSlice(0, 5L * PAGE), 1))
                    .isInstanceOfSatisfying(QuotaExceededException.class, e -> {
                        assertThat(e.neededBytes()).isEqualTo(5 * PAGE);
                        assertThat(e.quotaBytes()).isEqualTo(4 * PAGE);
                    })
                    .hasMessageContainingAll("region=[0x%x".formatted(a.address()), "neededBytes=20480", "quotaBytes=16384", "heap.quota");
            assertThatThrownBy(() -> { var _ = hmm.heap().prefetch(a, hmm.device()); }).isInstanceOf(QuotaExceededException.class);
            assertThatThrownBy(() -> quota(hmm, a, 0)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("quotaBytes=0");
            assertThat(held(hmm, a)).isZero();
            hmm.heap().quota(a, hmm.device(), Long.MAX_VALUE);
            add(hmm, a, 1);
            assertThat(held(hmm, a)).isEqualTo(16);
        }
    }

    @Test
    void whatIsThereBeyondItComesHomeAtOnce() {
        try (Hmm hmm = open(64)) {
            MemorySegment a = ints(hmm, 16, 3);
            add(hmm, a, 1);
            quota(hmm, a, 5);
            assertThat(held(hmm, a)).isEqualTo(5);
            MemorySegment moved = hmm.heap().move(a);
            assertThatThrownBy(() -> add(hmm, moved, 1)).isInstanceOf(QuotaExceededException.class);
            hmm.heap().free(moved.asSlice(0, 8L * PAGE));
            MemorySegment rest = moved.asSlice(8L * PAGE);
            assertThatThrownBy(() -> add(hmm, rest, 1)).isInstanceOf(QuotaExceededException.class).hasMessageContaining("region=[0x%x".formatted(rest.address()));
            add(hmm, rest.asSlice(0, 5L * PAGE), 1);
            assertThat(intsOf(hmm, rest.asSlice(0, 5L * PAGE))).isEqualTo(IntStream.range(8 * INTS, 13 * INTS).map(i -> i + 5).toArray());
        }
    }

    /// Whose region has all that it may have goes before pages that nobody has used for longer.
    @Test
    void othersTakePlacesOfFullRegionsFirst() {
        try (Hmm hmm = open(16)) {
            MemorySegment old = ints(hmm, 8, 0);
            MemorySegment full = ints(hmm, 16, 0);
            add(hmm, old, 1);
            quota(hmm, full, 8);
            add(hmm, full.asSlice(0, 8L * PAGE), 1);
            add(hmm, ints(hmm, 4, 0), 1);
            assertThat(held(hmm, old)).isEqualTo(8);
            assertThat(held(hmm, full)).isEqualTo(4);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7})
    void kernelsThatPageGoOnWithin(int quotaPages) {
        try (Hmm hmm = open(64)) {
            MemorySegment a = ints(hmm, 128, 11);
            MemorySegment other = ints(hmm, 16, 1);
            addPaged(hmm, other, 1);
            quota(hmm, a, quotaPages);
            for (int i = 1; i <= 2; i++) {
                addPaged(hmm, a, 10);
                assertThat(held(hmm, a)).isEqualTo(quotaPages);
            }
            assertThat(held(hmm, other)).isEqualTo(16);
            assertThat(intsOf(hmm, a)).isEqualTo(IntStream.range(0, 128 * INTS).map(i -> i + 31).toArray());
        }
    }

    /// Between any two rounds there may be less room than what is held.
    @Test
    void aQuotaMayBeLoweredWhileAKernelPages() {
        try (Hmm hmm = open(64)) {
            MemorySegment a = ints(hmm, 128, 11);
            AtomicBoolean over = new AtomicBoolean();
            Background<Boolean> other = Background.run(() -> {
                for (int i = 0; !over.get(); i++) {
                    quota(hmm, a, i % 2 == 0 ? 1 : 40);
                }
            });
            for (int i = 0; i < 30; i++) {
                addPaged(hmm, a, 10);
            }
            over.set(true);
            other.join();
            assertThat(intsOf(hmm, a)).isEqualTo(IntStream.range(0, 128 * INTS).map(i -> i + 311).toArray());
        }
    }

    /// One work-item needs a page of each of two arrays that are of one allocation.
    @Test
    void whatOneWorkItemCannotHaveIsRefusedByName() {
        try (Hmm hmm = open(64)) {
            MemorySegment both = ints(hmm, 64, 0);
            MemorySegment in = both.asSlice(0, 32L * PAGE);
            MemorySegment out = both.asSlice(32L * PAGE, 32L * PAGE);
            Kernel copy = hmm.program(Source.resource("paged_access.cl")).kernel("copy_paged");
            int count = 32 * INTS;
            Kernel.Call call = copy.args(Arg.heap(Arg.in(in), Arg.inOut(out)), in.address(), out.address(), count);
            quota(hmm, both, 1);
            assertThatThrownBy(() -> call.launch(NDRange.of(count / GROUP))).isInstanceOf(QuotaExceededException.class)
                    .hasMessageContainingAll("kernel=copy_paged", "work-item 0", "neededBytes=8192", "quotaBytes=4096", "region=[0x%x".formatted(both.address()));
            quota(hmm, both, 2);
            call.launch(NDRange.of(count / GROUP)).await();
            assertThat(intsOf(hmm, out)).isEqualTo(IntStream.range(0, count).toArray());
            assertThat(held(hmm, both)).isLessThanOrEqualTo(2);
        }
    }

    /// Not one page more each time: what is known by then.
    @Test
    void aQuotaThatIsTooSmallIsToldWithTheOneThatWouldDo() {
        Source source = Source.text("wants.cl", """
                #include "hmm.clh"
                kernel void want(HMM_HEAP_CONST, const ulong at, const uint pages, global int *sum) {
                    HMM_BEGIN;
                    bool missing = false;
                    for (uint i = 0; i < pages; i++) missing |= !HMM_READ(int, at + i * 4096ul);
                    if (missing) return;
                    *sum = (int)pages;
                    HMM_END;
                }
                """);
        try (Hmm hmm = open(64)) {
            MemorySegment all = ints(hmm, 32, 0);
            MemorySegment table = all.asSlice(0, 24L * PAGE);
            MemorySegment plain = all.asSlice(24L * PAGE, 3L * PAGE); // of the same allocation, so of the same quota
            Kernel.Call call = hmm.program(source).kernel("want").args(Arg.heap(Arg.in(table)), table.address(), 10, plain);
            for (int quotaPages : new int[] {3, 4, 12}) {
                quota(hmm, all, quotaPages);
                assertThatThrownBy(() -> call.launch(NDRange.of(1))).isInstanceOfSatisfying(QuotaExceededException.class, e -> {
                    assertThat(e.neededBytes()).isEqualTo(13 * PAGE);
                    assertThat(e.quotaBytes()).isEqualTo((long) quotaPages * PAGE);
                }).hasMessageContainingAll("work-item 0 of kernel=want", "asks for at least 10 pages of 4096 bytes of it at a time, and takes 3 as plain arguments", "heap.quota");
            }
            quota(hmm, all, 13);
            call.launch(NDRange.of(1)).await();
            assertThat(intsOf(hmm, plain)[0]).isEqualTo(10);
        }
    }

    @Test
    void copiesWithinTheHeapAndLeasesKeepToIt() {
        try (Hmm hmm = open(64)) {
            MemorySegment a = ints(hmm, 32, 5);
            quota(hmm, a, 2);
            add(hmm, a.asSlice(0, 2L * PAGE), 0);
            hmm.heap().copy(a.asSlice(0, 16L * PAGE), a.asSlice(16L * PAGE));
            assertThat(intsOf(hmm, a.asSlice(16L * PAGE))).isEqualTo(IntStream.range(0, 16 * INTS).map(i -> i + 5).toArray());
            hmm.heap().fill(a, (byte) 1);
            hmm.heap().lease(hmm.device(), a, Arg.Intent.IN_OUT).close();
            assertThat(intsOf(hmm, a)).containsOnly(0x01010101);
            assertThat(held(hmm, a)).isLessThanOrEqualTo(2);
        }
    }

    /// Where all of the heap has its place there is nothing to share.
    @Test
    void anApertureHasRoomForAll() {
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(2)).pageSize(PAGE).budget(ByteSize.mib(4)).open()) {
            assumeTrue(hmm.device().hasAperture());
            MemorySegment a = ints(hmm, 16, 0);
            quota(hmm, a, 1);
            add(hmm, a, 1);
            assertThat(intsOf(hmm, a)).isEqualTo(IntStream.range(0, 16 * INTS).map(i -> i + 1).toArray());
        }
    }

    /// Random launches of both kinds, prefetches, touches, moves and quotas, over budgets from one page on, against a plain model.
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 8, 13, 40})
    void whateverTheBudgetNoRegionHasMore(int budgetPages) {
        long seed = Long.getLong("hmm.seed", System.nanoTime());
        SplittableRandom random = new SplittableRandom(seed);
        try (Hmm hmm = open(budgetPages)) {
            List<Modelled> regions = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                int pages = 1 + random.nextInt(24);
                regions.add(new Modelled(ints(hmm, pages, i), IntStream.range(i, i + pages * INTS).toArray()));
            }
            for (int step = 0; step < 120; step++) {
                Modelled region = regions.get(random.nextInt(regions.size()));
                try {
                    region.step(hmm, random);
                    for (Modelled one : regions) {
                        assertThat(held(hmm, one.segment)).isLessThanOrEqualTo(one.quota);
                    }
                } catch (RuntimeException | Error e) {
                    throw new AssertionError("-Dhmm.seed=%d, step=%d".formatted(seed, step), e);
                }
            }
            for (Modelled region : regions) {
                assertThat(intsOf(hmm, region.segment)).as("-Dhmm.seed=%d", seed).isEqualTo(region.expected);
            }
            assertThat(hmm.device().usedBytes()).isLessThanOrEqualTo((long) budgetPages * PAGE);
        }
    }

    private static final class Modelled {

        private final int[] expected;
        private MemorySegment segment;
        private long quota = Long.MAX_VALUE;

        Modelled(MemorySegment segment, int[] expected) {
            this.segment = segment;
            this.expected = expected;
        }

        void step(Hmm hmm, SplittableRandom random) {
            int pages = expected.length / INTS;
            int first = random.nextInt(pages);
            int count = 1 + random.nextInt(pages - first);
            MemorySegment slice = segment.asSlice((long) first * PAGE, (long) count * PAGE);
            int delta = random.nextInt(100);
            switch (random.nextInt(8)) {
                case 0, 1 -> {
                    quota = random.nextInt(4) == 0 ? Long.MAX_VALUE : 1 + random.nextInt(pages);
                    hmm.heap().quota(slice, hmm.device(), quota == Long.MAX_VALUE ? quota : quota * PAGE);
                }
                case 2, 3 -> {
                    if (happens(hmm, count, () -> add(hmm, slice, delta))) {
                        added(first, count, delta);
                    }
                }
                case 4, 5 -> {
                    if (hmm.device().budgetBytes() > PAGE) { // else there is no chunk beside the part for plain arguments
                        addPaged(hmm, slice, delta);
                        added(first, count, delta);
                    }
                }
                case 6 -> happens(hmm, count, () -> { var _ = hmm.heap().prefetch(slice, hmm.device()); });
                default -> {
                    try (HostView view = hmm.heap().view(slice, Access.WRITE)) {
                        view.segment().setAtIndex(JAVA_INT, 0, delta);
                        expected[first * INTS] = delta;
                    }
                    segment = random.nextInt(3) == 0 ? hmm.heap().move(segment) : segment;
                }
            }
        }

        private boolean happens(Hmm hmm, int count, Runnable work) {
            Class<? extends HmmException> error = (long) count * PAGE > hmm.device().budgetBytes() ? DeviceMemoryExhaustedException.class
                    : count > quota ? QuotaExceededException.class : null;
            if (error == null) {
                work.run();
                return true;
            }
            assertThatThrownBy(work::run).isInstanceOf(error);
            return false;
        }

        private void added(int first, int count, int delta) {
            for (int i = first * INTS; i < (first + count) * INTS; i++) {
                expected[i] += delta;
            }
        }
    }

    // ---- where kernels fault

    private static Hmm openFaulting(int leastTimes) {
        assumeTrue(Ladder.best().mode() == Mode.UFFD && FirstDevice.worksInHostMemory(), "kernels cannot fault here");
        return Hmm.builder().heap(ByteSize.mib(64)).pageSize(PAGE).budget((long) leastTimes * leastPages() * PAGE).deviceFaults().open();
    }

    private static int leastPages() {
        try (Hmm any = Hmm.builder().heap(ByteSize.mib(2)).open()) {
            return 33 * any.device().info().computeUnits();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void unmodifiedKernelsGoOnWithin(int leastTimes) {
        int least = leastPages();
        assumeTrue(least <= 600, "many processors");
        try (Hmm hmm = openFaulting(4)) {
            int quotaPages = leastTimes * least;
            MemorySegment other = ints(hmm, least, 1);
            MemorySegment a = ints(hmm, 4 * least, 0);
            add(hmm, other, 1);
            add(hmm, a, 0);
            quota(hmm, a, quotaPages);
            assertThat(held(hmm, a)).isLessThanOrEqualTo(quotaPages);
            Kernel kernel = hmm.program(PLAIN).kernel("add_all");
            for (int i = 0; i < 3; i++) {
                kernel.args(a, 5, 64).launch(NDRange.of(a.byteSize() / Integer.BYTES / 64)).await();
                assertThat(held(hmm, a)).isBetween(least / 2L, (long) quotaPages);
                a.setAtIndex(JAVA_INT, 3L * INTS, 1);
            }
            int[] expected = IntStream.range(0, 4 * least * INTS).map(i -> i + 15).toArray();
            expected[3 * INTS] = 1;
            assertThat(intsOf(hmm, a)).isEqualTo(expected);
            assertThat(intsOf(hmm, other)).isEqualTo(IntStream.range(0, least * INTS).map(i -> i + 2).toArray());
            assertThatThrownBy(() -> quota(hmm, a, least - 1)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("at least " + (long) least * PAGE);
        }
    }

    /// What is allocated next where a region with a quota was is free of it, and where that has moved to it is not.
    @Test
    void theQuotaGoesWithItsRegion() {
        int least = leastPages();
        int more = least + least / 2;
        assumeTrue((long) more * PAGE < PageSize.MAX_BYTES, "many processors: regions so large would begin at other addresses");
        try (Hmm hmm = openFaulting(8)) {
            MemorySegment a = ints(hmm, 4 * least, 0);
            quota(hmm, a, least);
            a = hmm.heap().move(a);
            add(hmm, a, 1);
            assertThat(held(hmm, a)).isLessThanOrEqualTo(least);
            hmm.heap().free(a.asSlice(0, (long) least * PAGE));
            MemorySegment rest = a.asSlice((long) least * PAGE);
            add(hmm, rest, 1);
            assertThat(held(hmm, rest)).isLessThanOrEqualTo(least);
            assertThat(intsOf(hmm, rest)).isEqualTo(IntStream.range(least * INTS, 4 * least * INTS).map(i -> i + 2).toArray());
            hmm.heap().free(rest);
            while (true) { // until there is no other room, so that the addresses come again
                MemorySegment next = ints(hmm, more, 0);
                if (next.address() <= rest.address() && next.address() + next.byteSize() > rest.address()) {
                    add(hmm, next, 1);
                    assertThat(held(hmm, next)).isEqualTo(more);
                    return;
                }
            }
        }
    }
}
