package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import io.github.hmm4j.error.RunawayKernelException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.mirror.DeviceTable;
import io.github.hmm4j.pager.HostAccess.Mode;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.policy.AheadPolicy;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Kernels over more than the device holds, through its page table, in each way of reaching host memory.
@Timeout(value = 60, unit = TimeUnit.SECONDS)
final class PagedLaunchTest {

    private static final int PAGE = 4096;
    private static final int INTS = PAGE / Integer.BYTES;

    private static Hmm open(Mode mode, int budgetPages) {
        return Hmm.builder().hostAccess(mode).heap(ByteSize.mib(64)).pageSize(PAGE).budget((long) budgetPages * PAGE).open();
    }

    private static Kernel kernel(Hmm hmm, String name) {
        return hmm.program(Source.resource("paged.cl")).kernel(name);
    }

    private static MemorySegment ints(Hmm hmm, int count, IntUnaryOperator value) {
        MemorySegment segment = hmm.heap().allocate(JAVA_INT, count);
        try (HostView view = hmm.heap().view(segment, Access.WRITE)) {
            for (int i = 0; i < count; i++) {
                view.segment().setAtIndex(JAVA_INT, i, value.applyAsInt(i));
            }
        }
        return segment;
    }

    private static MemorySegment floats(Hmm hmm, int count) {
        return ints(hmm, count, i -> Float.floatToRawIntBits(i % 10_007));
    }

    private static float[] floatsOf(Hmm hmm, MemorySegment segment) {
        try (HostView view = hmm.heap().view(segment, Access.READ)) {
            return view.segment().toArray(JAVA_FLOAT);
        }
    }

    private static int[] intsOf(Hmm hmm, MemorySegment segment) {
        try (HostView view = hmm.heap().view(segment, Access.READ)) {
            return view.segment().toArray(JAVA_INT);
        }
    }

    private static float[] scaled(int count) {
        float[] expected = new float[count];
        for (int i = 0; i < count; i++) {
            expected[i] = 2 * (float) (i % 10_007) + 1;
        }
        return expected;
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void rowsOfALargeTableAreGathered(Mode mode) {
        try (Hmm hmm = open(mode, 640)) {
            int width = 256;
            int count = 500;
            MemorySegment table = floats(hmm, 2048 * INTS);
            SplittableRandom random = new SplittableRandom(7);
            int[] rows = random.ints(count, 0, 2048 * INTS / width).toArray();
            MemorySegment chosen = ints(hmm, count, i -> rows[i]);
            MemorySegment out = hmm.heap().allocate(JAVA_FLOAT, (long) count * width);
            Launch launch = kernel(hmm, "gather_rows").args(Arg.heap(Arg.in(table)), table.address(), chosen, Arg.out(out), width)
                    .launch(NDRange.of(count)).await();
            float[] got = floatsOf(hmm, out);
            for (int i = 0; i < got.length; i++) {
                assertThat(got[i]).as("element %d", i).isEqualTo(((long) rows[i / width] * width + i % width) % 10_007);
            }
            assertThat(launch.moves().rounds()).isGreaterThan(1);
            long moved = hmm.report().moves().stream().filter(each -> each.cause() == Cause.DEVICE_FAULT).mapToLong(Report.Moved::pages).sum();
            assertThat(moved).isBetween(1L, (long) count); // a row lies on one page
            assertThat(hmm.device().usedBytes()).isLessThanOrEqualTo(640L * PAGE);
        }
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void arraysOfFourTimesTheBudgetAreStreamed(Mode mode) {
        for (String name : List.of("scale_runs", "scale_cached")) {
            try (Hmm hmm = open(mode, 64)) {
                int count = 128 * INTS - 77; // in and out: 256 pages
                MemorySegment in = floats(hmm, count);
                MemorySegment out = hmm.heap().allocate(JAVA_FLOAT, count);
                int chunk = 1000;
                kernel(hmm, name).args(Arg.heap(Arg.in(in), Arg.out(out)), in.address(), out.address(), (long) count, chunk, 2f, 1f)
                        .launch(NDRange.of(Math.ceilDiv(count, chunk)).local(1)).await();
                assertThat(floatsOf(hmm, out)).isEqualTo(scaled(count));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void eachValueIsCountedOnce(Mode mode) {
        try (Hmm hmm = open(mode, 40)) {
            int kinds = 64 * INTS;
            int count = 100_000;
            int[] values = new SplittableRandom(3).ints(count, 0, kinds).toArray();
            MemorySegment in = ints(hmm, count, i -> values[i]);
            MemorySegment counts = hmm.heap().allocate(JAVA_INT, kinds);
            kernel(hmm, "count_values").args(Arg.heap(Arg.in(in), Arg.inOut(counts)), in.address(), counts.address(), (long) count)
                    .launch(NDRange.of(100_032).local(64)).await();
            int[] expected = new int[kinds];
            for (int value : values) {
                expected[value]++;
            }
            assertThat(intsOf(hmm, counts)).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void workGroupsWithBarriersLeaveTogether(Mode mode) {
        try (Hmm hmm = open(mode, 16)) {
            int group = 64;
            int count = 64 * INTS - 5;
            MemorySegment in = ints(hmm, count, i -> i * 31 - 7);
            int groups = Math.ceilDiv(count, group);
            MemorySegment sums = hmm.heap().allocate(JAVA_LONG, groups);
            kernel(hmm, "sum_blocks").args(Arg.heap(Arg.in(in), Arg.inOut(sums)), in.address(), sums.address(), (long) count, Arg.local(8L * group))
                    .launch(NDRange.of((long) groups * group).local(group)).await();
            try (HostView view = hmm.heap().view(sums, Access.READ)) {
                for (int g = 0; g < groups; g++) {
                    long expected = 0;
                    for (int i = g * group; i < Math.min(count, (g + 1) * group); i++) {
                        expected += i * 31 - 7;
                    }
                    assertThat(view.segment().getAtIndex(JAVA_LONG, g)).as("group %d", g).isEqualTo(expected);
                }
            }
        }
    }

    /// In groups that are one wide and no line POCL ran the first work-item of each twice.
    @ParameterizedTest
    @CsvSource({"64, 1, 1", "1, 64, 1", "1, 1, 64", "1, 8, 8", "2, 8, 4"})
    void workGroupsOfAnyShapeUpdateOnce(long x, long y, long z) {
        Source update = Source.text("update.cl", """
                #include "hmm.clh"
                kernel void update(HMM_HEAP, const ulong at, local int *flag) {
                    HMM_BEGIN_GROUP;
                    const size_t item = (get_global_id(2) * get_global_size(1) + get_global_id(1)) * get_global_size(0) + get_global_id(0);
                    global int *one = HMM_WRITE(int, at + item * sizeof(int));
                    if (HMM_ANY(!one, flag)) {
                        return;
                    }
                    *one += 1;
                    HMM_END;
                }
                """);
        try (Hmm hmm = open(Mode.CHECKED, 16)) {
            MemorySegment counts = hmm.heap().allocate(512 * 64 * 4, PAGE);
            hmm.program(update).kernel("update").args(Arg.heap(Arg.inOut(counts)), counts.address(), Arg.local(Integer.BYTES))
                    .launch(NDRange.of(8 * x, 8 * y, 8 * z).local(x, y, z)).await();
            assertThat(intsOf(hmm, counts)).containsOnly(1);
        }
    }

    private static final Source WANTS = Source.text("wants.cl", """
            #include "hmm.clh"
            // Asks for the first int of each page before it takes any, or goes on to the next when it has one.
            kernel void want(HMM_HEAP_CONST, const ulong at, const uint pages, const uint at_once, global int *sum) {
                HMM_BEGIN;
                int found = 0;
                bool missing = false;
                for (uint i = 0; i < pages; i++) {
                    global const int *first = HMM_READ(int, at + i * 4096ul);
                    if (first) {
                        found += *first;
                    } else if (at_once) {
                        missing = true;
                    } else {
                        return;
                    }
                }
                if (missing) {
                    return;
                }
                *sum = found;
                HMM_END;
            }
            """);

    /// What is known by then: all that it has asked for. Only who asks for one page after the other hears of the next.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aBudgetThatIsTooSmallIsToldWithTheOneThatWouldDo(boolean atOnce) {
        try (Hmm small = open(Mode.CHECKED, 4)) { // of which a page is kept for plain arguments
            int pages = 12;
            long needed = atOnce ? 12 + 3 : 4 + 1; // of which a quarter is kept
            assertThatThrownBy(() -> want(small, pages, atOnce)).isInstanceOfSatisfying(DeviceMemoryExhaustedException.class, e -> {
                assertThat(e.neededBytes()).isEqualTo(needed * PAGE);
                assertThat(e.budgetBytes()).isEqualTo(4L * PAGE);
            }).hasMessageContainingAll("neededBytes=" + needed * PAGE, "budgetBytes=" + 4 * PAGE, "work-item 0 of kernel=want", "asks for at least " + (atOnce ? 12 : 4) + " pages of 4096 bytes at a time",
                    "room for 3", "raise the budget");
            assertThat(want(small, 3, atOnce)).isEqualTo(3);
            try (Hmm enough = open(Mode.CHECKED, (int) (atOnce ? needed : 15)); Hmm one = open(Mode.CHECKED, 14)) {
                assertThat(want(enough, pages, atOnce)).isEqualTo(pages);
                assertThatThrownBy(() -> want(one, pages, atOnce)).isInstanceOf(DeviceMemoryExhaustedException.class).hasMessageContaining("neededBytes=" + 15 * PAGE);
            }
        }
    }

    private static int want(Hmm hmm, int pages, boolean atOnce) {
        MemorySegment table = hmm.heap().allocate((long) pages * PAGE, PAGE);
        MemorySegment sum = hmm.heap().allocate(JAVA_INT);
        try (HostView view = hmm.heap().view(table, Access.WRITE)) {
            for (int page = 0; page < pages; page++) {
                view.segment().set(JAVA_INT, (long) page * PAGE, 1);
            }
        }
        hmm.program(WANTS).kernel("want").args(Arg.heap(Arg.in(table)), table.address(), pages, atOnce ? 1 : 0, Arg.out(sum)).launch(NDRange.of(1)).await();
        return intsOf(hmm, sum)[0];
    }

    /// They leave nothing: what pages needs at least one beside them, whether or not others have paged before.
    @Test
    void plainArgumentsThatTakeAllOfTheBudgetAreToldWithThePageBeside() {
        try (Hmm hmm = open(Mode.CHECKED, 8)) {
            Kernel want = hmm.program(WANTS).kernel("want");
            MemorySegment table = hmm.heap().allocate(PAGE, PAGE);
            for (int paged = 0; paged < 2; paged++) {
                for (long pages : new long[] {8, 11}) {
                    MemorySegment sum = hmm.heap().allocate(pages * PAGE, PAGE);
                    assertThatThrownBy(() -> want.args(Arg.heap(Arg.in(table)), table.address(), 1, 1, sum).launch(NDRange.of(1)))
                            .isInstanceOfSatisfying(DeviceMemoryExhaustedException.class, e -> assertThat(e.neededBytes()).isEqualTo((pages + 1) * PAGE))
                            .hasMessageContainingAll("leave no room", "budgetBytes=" + 8 * PAGE, "=" + pages * PAGE + " bytes, and through the page table at least 4096 bytes at a time");
                }
                assertThat(want(hmm, 6, true)).isEqualTo(6);
            }
        }
    }

    /// What an earlier launch has left is not all that the next one can have.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theRoomForPagesGrowsAgainAfterALargeArgument(boolean atOnce) {
        try (Hmm hmm = open(Mode.CHECKED, 16)) {
            MemorySegment table = ints(hmm, INTS, _ -> 7);
            MemorySegment large = hmm.heap().allocate(14L * PAGE, PAGE);
            hmm.program(WANTS).kernel("want").args(Arg.heap(Arg.in(table)), table.address(), 1, 1, large).launch(NDRange.of(1)).await();
            assertThat(intsOf(hmm, large)[0]).isEqualTo(7);
            assertThat(want(hmm, 12, atOnce)).isEqualTo(12);
            assertThatThrownBy(() -> want(hmm, 13, atOnce)).isInstanceOf(DeviceMemoryExhaustedException.class).hasMessageContaining("neededBytes=" + 17 * PAGE);
        }
    }

    /// Each page that is to come, and not each time that a work-item which waits for room asks for it.
    @Test
    void aPageThatIsMissedInManyRoundsCountsOnce() {
        try (Hmm hmm = Hmm.builder().hostAccess(Mode.CHECKED).heap(ByteSize.mib(64)).pageSize(PAGE).budget(32L * PAGE).ahead(AheadPolicy.NOTHING).open()) {
            MemorySegment in = floats(hmm, 128 * INTS);
            MemorySegment out = hmm.heap().allocate(128L * PAGE, PAGE);
            MemorySegment pages = in.asSlice(PAGE - in.address() % PAGE, 100L * PAGE);
            scale(hmm, pages, out.asSlice(0, 100L * PAGE)); // each work-item a page of either
            Report report = hmm.report();
            assertThat(report.count(Counter.DEVICE_FAULT_ROUNDS)).isGreaterThan(5);
            assertThat(report.count(Counter.DEVICE_FAULTS_READ)).isEqualTo(100);
            assertThat(report.count(Counter.DEVICE_FAULTS_WRITE)).isEqualTo(100);
        }
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void whatTheKernelMayNotUseEndsTheLaunch(Mode mode) {
        try (Hmm hmm = open(mode, 64)) {
            MemorySegment in = floats(hmm, 16 * INTS);
            MemorySegment out = floats(hmm, 16 * INTS);
            MemorySegment other = floats(hmm, INTS);
            Kernel scale = kernel(hmm, "scale_runs");
            NDRange range = NDRange.of(16).local(1);
            long count = 16L * INTS;
            assertRefused(AccessViolationException.Kind.OUTSIDE, () -> scale.args(Arg.heap(Arg.in(in), Arg.out(out)), 0L, out.address(), count, INTS, 1f, 1f).launch(range),
                    "kernel=scale_runs", "read", "address=0x", "workItem=");
            assertRefused(AccessViolationException.Kind.OUTSIDE, () -> scale.args(Arg.heap(Arg.in(in), Arg.out(out)), in.address(), other.address(), count, INTS, 1f, 1f)
                    .launch(range), "write", "address=0x%x".formatted(other.address()), "does not name", "workItem=");
            assertRefused(AccessViolationException.Kind.PERMISSION, () -> scale.args(Arg.heap(Arg.in(in), Arg.in(out)), in.address(), out.address(), count, INTS, 1f, 1f)
                    .launch(range), "write", "read only");
            assertRefused(AccessViolationException.Kind.CROSSES_PAGE, () -> scale.args(Arg.heap(Arg.in(in), Arg.out(out)), in.address() + PAGE - 2, out.address(), count, INTS, 1f, 1f)
                    .launch(range), "read", "0x%x".formatted(in.address() + PAGE - 2));
            hmm.heap().protect(out, Protection.READ);
            assertRefused(AccessViolationException.Kind.PERMISSION, () -> scale.args(Arg.heap(Arg.in(in), Arg.out(out)), in.address(), out.address(), count, INTS, 1f, 1f)
                    .launch(range), "address=0x");
            hmm.heap().protect(out, Protection.READ_WRITE);
            assertThat(floatsOf(hmm, other)[5]).isEqualTo(5);
            assertThat(floatsOf(hmm, out)[15 * INTS + 5]).isEqualTo((15 * INTS + 5) % 10_007);
            scale.args(Arg.heap(Arg.in(in), Arg.out(out)), in.address(), out.address(), count, INTS, 2f, 1f).launch(range).await();
            assertThat(floatsOf(hmm, out)).isEqualTo(scaled(16 * INTS));
        }
    }

    private static void assertRefused(AccessViolationException.Kind kind, Runnable launch, String... parts) {
        assertThatThrownBy(launch::run).isInstanceOfSatisfying(AccessViolationException.class, e -> assertThat(e.kind()).isEqualTo(kind)).hasMessageContainingAll(parts);
    }

    /// Entries allow what the words allow, of the launch's ranges and nowhere else.
    @ParameterizedTest
    @EnumSource(Mode.class)
    void theTableSaysWhatTheWordsSay(Mode mode) {
        try (Hmm hmm = open(mode, 64)) {
            MemorySegment in = floats(hmm, 16 * INTS);
            MemorySegment out = floats(hmm, 16 * INTS);
            scale(hmm, in, out);
            scale(hmm, in, out); // the second finds all there
            assertThat(hmm.heap().deviceTable(hmm.device(), in)).allMatch(entry -> entry.readable() && !entry.writable() && entry.accessed() && !entry.dirty());
            assertThat(hmm.heap().deviceTable(hmm.device(), out)).allMatch(entry -> entry.readable() && entry.writable() && entry.dirty());
            assertThat(hmm.heap().deviceTable(hmm.device(), out)).extracting(DeviceTable.Entry::frame).doesNotHaveDuplicates();
            floatsOf(hmm, out.asSlice(3L * PAGE, PAGE)); // comes home, and the device keeps a copy to read
            try (HostView view = hmm.heap().view(in.asSlice(5L * PAGE, PAGE), Access.WRITE)) {
                view.segment().setAtIndex(JAVA_FLOAT, 0, 9);
            }
            long before = hmm.report().count(Counter.DEVICE_FAULT_ROUNDS);
            scale(hmm, out.asSlice(0, 8L * PAGE), in.asSlice(8L * PAGE, 8L * PAGE));
            assertThat(hmm.report().count(Counter.DEVICE_FAULT_ROUNDS) - before).isEqualTo(1); // to write what it only read: the upgrade
            assertThat(hmm.heap().deviceTable(hmm.device(), in.asSlice(0, 8L * PAGE))).noneMatch(DeviceTable.Entry::readable);
            assertThat(hmm.heap().deviceTable(hmm.device(), out.asSlice(0, 8L * PAGE))).allMatch(DeviceTable.Entry::readable);
            assertThat(hmm.heap().deviceTable(hmm.device(), out.asSlice(8L * PAGE))).noneMatch(DeviceTable.Entry::readable);
        }
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void neighboursAreCopiedTogether(Mode mode) {
        try (Hmm hmm = open(mode, 64)) {
            MemorySegment in = floats(hmm, 16 * INTS);
            MemorySegment out = floats(hmm, 16 * INTS);
            long before = hmm.report().count(Counter.COPY_RUNS);
            scale(hmm, in, out);
            assertThat(hmm.report().count(Counter.COPY_RUNS) - before).isEqualTo(2); // one for each array
        }
    }

    private static void scale(Hmm hmm, MemorySegment in, MemorySegment out) {
        long count = in.byteSize() / Float.BYTES;
        kernel(hmm, "scale_runs").args(Arg.heap(Arg.in(in), Arg.inOut(out)), in.address(), out.address(), count, INTS, 2f, 1f)
                .launch(NDRange.of(count / INTS).local(1)).await();
    }

    /// Old contents of whole pages of an output stay on the host until a kernel has run with the page; from then on all of it comes and goes. What is beside the output stays as it was.
    @ParameterizedTest
    @EnumSource(Mode.class)
    void outputsComeWithoutTheirOldContents(Mode mode) {
        for (int chunk : new int[] {INTS, 700}) {
            try (Hmm hmm = open(mode, 64)) {
                int count = 128 * INTS;
                MemorySegment in = floats(hmm, count);
                MemorySegment region = floats(hmm, count + 2 * INTS);
                MemorySegment out = region.asSlice(PAGE + 12, 4L * count);
                Report before = hmm.report();
                kernel(hmm, "scale_runs").args(Arg.heap(Arg.in(in), Arg.out(out)), in.address(), out.address(), (long) count, chunk, 2f, 1f)
                        .launch(NDRange.of(Math.ceilDiv(count, chunk)).local(1)).await();
                long brought = hmm.report().since(before).moves().stream().filter(each -> each.cause() == Cause.DEVICE_FAULT).mapToLong(Report.Moved::bytes).sum();
                float[] all = floatsOf(hmm, region);
                assertThat(Arrays.copyOfRange(all, INTS + 3, INTS + 3 + count)).isEqualTo(scaled(count));
                for (int i = 0; i < INTS + 3; i++) {
                    assertThat(all[i]).isEqualTo(i);
                }
                for (int i = INTS + 3 + count; i < all.length; i++) {
                    assertThat(all[i]).isEqualTo(i % 10_007);
                }
                assertThat(brought).isLessThan((128 + 64) * (long) PAGE); // the input, some pages of either twice, and the two edges
            }
        }
    }

    /// Frames go from one allocation to the other and back: what a kernel leaves of a page that it promised to overwrite is zeros or its own, and frames are cleared only where they held another's bytes.
    @ParameterizedTest
    @EnumSource(Mode.class)
    void gapsOfOutputsShowNobodyElsesBytes(Mode mode) {
        int others = 1 << 30;
        try (Hmm hmm = open(mode, 8)) {
            MemorySegment a = hmm.heap().allocate(16L * PAGE, PAGE);
            MemorySegment b = hmm.heap().allocate(16L * PAGE, PAGE);
            Kernel fill = hmm.program(Source.resource("paged_access.cl")).kernel("fill_paged");
            for (int round = 0; round < 4; round++) {
                fill.args(Arg.heap(Arg.out(a)), a.address(), others, 16 * INTS).launch(NDRange.of(16 * INTS / 32)).await();
                for (long page = 0; page < 16; page++) {
                    MemorySegment one = b.asSlice(page * PAGE, PAGE);
                    fill.args(Arg.heap(Arg.out(one)), one.address(), 1, 32).launch(NDRange.of(1)).await();
                }
                int[] got = intsOf(hmm, b);
                for (int i = 0; i < got.length; i++) {
                    assertThat(got[i]).as("int %d", i).isBetween(i % INTS < 32 ? i % INTS + 1 : 0, i % INTS < 32 ? i % INTS + 1 : INTS);
                }
            }
            long before = hmm.report().count(Counter.MIGRATE_FILLED_PAGES);
            fill.args(Arg.heap(Arg.out(a)), a.address(), others, 16 * INTS).launch(NDRange.of(16 * INTS / 32)).await();
            fill.args(Arg.heap(Arg.out(a)), a.address(), others, 16 * INTS).launch(NDRange.of(16 * INTS / 32)).await();
            assertThat(hmm.report().count(Counter.MIGRATE_FILLED_PAGES) - before).isLessThanOrEqualTo(6); // those that the other had
        }
    }

    /// A row that was missed brings the page behind it, which the kernel would miss next.
    @ParameterizedTest
    @EnumSource(Mode.class)
    void whatComesAlongIsUsed(Mode mode) {
        assertThat(roundsOf(Hmm.builder().ahead(AheadPolicy.NOTHING), mode)).isEqualTo(2);
        assertThat(roundsOf(Hmm.builder(), mode)).isEqualTo(1);
        assertThat(roundsOf(Hmm.builder().ahead(() -> {
            throw new IllegalStateException("a policy that does not work");
        }), mode)).isEqualTo(2);
    }

    private static long roundsOf(HmmBuilder builder, Mode mode) {
        try (Hmm hmm = builder.hostAccess(mode).heap(ByteSize.mib(64)).pageSize(PAGE).budget(128L * PAGE).open()) {
            MemorySegment in = floats(hmm, 17 * INTS);
            MemorySegment out = floats(hmm, 17 * INTS);
            scale(hmm, in.asSlice(PAGE / 2, 16L * PAGE), out.asSlice(PAGE / 2, 16L * PAGE)); // each work-item goes on to another page, the last to one that no other misses first
            Report report = hmm.report();
            assertThat(report.count(Counter.DEVICE_AHEAD)).isEqualTo(report.count(Counter.DEVICE_AHEAD_USED) + report.count(Counter.DEVICE_AHEAD_WASTED));
            assertThat(report.count(Counter.DEVICE_AHEAD_WASTED)).isZero();
            for (int i = 0; i < 16 * INTS; i++) {
                assertThat(floatsOf(hmm, out.asSlice(PAGE / 2, 16L * PAGE))[i]).isEqualTo(2 * (float) ((i + INTS / 2) % 10_007) + 1);
                i += 500;
            }
            return report.count(Counter.DEVICE_FAULT_ROUNDS);
        }
    }

    /// Nothing leaves the device for what only comes along.
    @ParameterizedTest
    @EnumSource(Mode.class)
    void whatComesAlongTakesFreeFramesOnly(Mode mode) {
        try (Hmm hmm = open(mode, 32)) {
            MemorySegment in = floats(hmm, 64 * INTS);
            MemorySegment out = floats(hmm, 64 * INTS);
            scale(hmm, in, out);
            assertThat(hmm.report().count(Counter.DEVICE_AHEAD)).isZero();
            assertThat(floatsOf(hmm, out)).isEqualTo(scaled(64 * INTS));
        }
    }

    /// From a window to the paged chunk and back, within the device.
    @ParameterizedTest
    @EnumSource(Mode.class)
    void plainKernelsAndPagedOnesTakeTurns(Mode mode) {
        try (Hmm hmm = open(mode, 64)) {
            int count = 8 * INTS;
            MemorySegment in = floats(hmm, count);
            MemorySegment out = floats(hmm, count);
            Kernel plain = hmm.program(Source.text("plain.cl", "kernel void twice(global float *a) { a[get_global_id(0)] *= 2; }")).kernel("twice");
            float[] expected = floatsOf(hmm, in);
            for (int turn = 0; turn < 3; turn++) {
                plain.args(in).launch(NDRange.of(count)).await();
                scale(hmm, in, out);
                for (int i = 0; i < count; i++) {
                    expected[i] *= 2;
                }
                float[] got = floatsOf(hmm, out);
                for (int i = 0; i < count; i++) {
                    assertThat(got[i]).as("turn %d, element %d", turn, i).isEqualTo(2 * expected[i] + 1);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void pagesOfAPointerAreNotAskedForThroughTheHeapAsWell(Mode mode) {
        try (Hmm hmm = open(mode, 64)) {
            MemorySegment table = floats(hmm, 16 * INTS);
            MemorySegment rows = ints(hmm, 4, i -> i);
            assertThatThrownBy(() -> kernel(hmm, "gather_rows").args(Arg.heap(Arg.in(table)), table.address(), rows, Arg.out(table.asSlice(0, PAGE)), 256).launch(NDRange.of(4)))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContainingAll("kernel=gather_rows", "shares pages", "Arg.heap");
        }
    }

    /// Whoever holds the view that a launch waits for can launch, too: on the same device and through the same table.
    @ParameterizedTest
    @EnumSource(Mode.class)
    void nobodyElseWaitsWithALaunchThatWaitsForAView(Mode mode) throws Exception {
        try (Hmm hmm = open(mode, 64)) {
            MemorySegment in = floats(hmm, 16 * INTS);
            MemorySegment out = floats(hmm, 16 * INTS);
            MemorySegment other = floats(hmm, 16 * INTS);
            Thread waiting;
            try (HostView _ = hmm.heap().view(out.asSlice(PAGE, PAGE), Access.WRITE)) {
                waiting = Thread.ofPlatform().start(() -> scale(hmm, in, out));
                while (hmm.report().count(Counter.LAUNCH_WAITS) == 0 && waiting.isAlive()) {
                    Thread.onSpinWait();
                }
                scale(hmm, in, other);
                assertThat(floatsOf(hmm, other)).isEqualTo(scaled(16 * INTS));
                assertThat(waiting.isAlive()).isTrue();
            }
            waiting.join();
            assertThat(floatsOf(hmm, out)).isEqualTo(scaled(16 * INTS));
        }
    }

    /// The entries as well: kernels after it followed them out of the heap.
    @Test
    void aKernelThatSpoilsAllOfItsTableHurtsNobodyAfterIt() {
        String spoil = """
                #include "hmm.clh"
                kernel void spoil(HMM_HEAP, const uint value) {
                    HMM_BEGIN;
                    for (ulong i = HMM_NOTED_AT; i < HMM_TOUCHED_AT + (HMM_HEAP_BYTES >> HMM_PAGE_SHIFT) / 2; i++) {
                        hmm_pages[i] = value;
                    }
                    hmm_pages[HMM_UNFINISHED] = 1;
                }
                """;
        try (Hmm hmm = open(Mode.CHECKED, 64)) {
            MemorySegment mine = floats(hmm, 4 * INTS);
            MemorySegment in = floats(hmm, 16 * INTS);
            MemorySegment out = floats(hmm, 16 * INTS);
            Kernel kernel = hmm.program(Source.text("spoil.cl", spoil)).kernel("spoil");
            for (int value : new int[] {3, 0xFFFFFFFF}) {
                assertThatThrownBy(() -> kernel.args(Arg.heap(Arg.inOut(mine)), value).launch(NDRange.of(1))).isInstanceOf(RunawayKernelException.class);
                scale(hmm, in, out);
                assertThat(floatsOf(hmm, out)).isEqualTo(scaled(16 * INTS));
                assertThat(floatsOf(hmm, mine)[3 * INTS]).isEqualTo(3 * INTS % 10_007);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void viewsOfTheSameThreadAreRefusedAndThoseOfOthersWaitedFor(Mode mode) throws Exception {
        try (Hmm hmm = open(mode, 64)) {
            MemorySegment in = floats(hmm, 16 * INTS);
            MemorySegment out = floats(hmm, 16 * INTS);
            Thread other;
            try (HostView view = hmm.heap().view(out.asSlice(PAGE, PAGE), Access.WRITE)) {
                assertThatThrownBy(() -> scale(hmm, in, out)).isInstanceOf(IllegalStateException.class).hasMessageContaining(view.toString());
                other = Thread.ofPlatform().start(() -> scale(hmm, in, out));
                while (hmm.report().count(Counter.LAUNCH_WAITS) == 0 && other.isAlive()) {
                    Thread.onSpinWait();
                }
            }
            other.join();
            assertThat(floatsOf(hmm, out)).isEqualTo(scaled(16 * INTS));
        }
    }
}
