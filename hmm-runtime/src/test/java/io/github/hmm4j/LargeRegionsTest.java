package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.account.Direction;
import io.github.hmm4j.mirror.SnapshotCode;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Large allocations do not begin at a page, each at another place of its first one.
@Timeout(120)
class LargeRegionsTest {

    private static final int LARGE_BYTES = 2 << 20;
    private static final int LEAST_ALIGNMENT_BYTES = 128;
    /// Of which an eighth is just more than what counts as large.
    private static final int BUDGET_PAGES = 8 * (LARGE_BYTES / Rig.PAGE + 4);

    private static Rig open() {
        return Rig.windows(1, BUDGET_PAGES);
    }

    /// At multiples of which regions begin.
    private static int alignment(Rig rig) {
        return Math.max(LEAST_ALIGNMENT_BYTES, rig.device(0).device().info().baseAlignmentBytes());
    }

    private static long inPage(MemorySegment segment) {
        return segment.address() % Rig.PAGE;
    }

    @Test
    void beginAtDifferentPlacesOfAPageAndAligned() {
        try (Rig rig = open()) {
            List<MemorySegment> large = IntStream.range(0, 12).mapToObj(_ -> rig.heap.allocate(LARGE_BYTES)).toList();
            assertThat(large.stream().map(LargeRegionsTest::inPage)).allMatch(offset -> offset % alignment(rig) == 0);
            assertThat(large.stream().limit(Rig.PAGE / alignment(rig)).map(LargeRegionsTest::inPage)).doesNotHaveDuplicates();
            for (int i = 0; i + 3 <= large.size(); i++) { // of any three that are made one after the other
                long[] places = large.subList(i, i + 3).stream().mapToLong(LargeRegionsTest::inPage).sorted().toArray();
                assertThat(Math.min(places[1] - places[0], Math.min(places[2] - places[1], places[0] + Rig.PAGE - places[2]))).isGreaterThanOrEqualTo(512);
            }
            assertThat(rig.heap.usedBytes()).as("a page more each, at most").isLessThanOrEqualTo(12L * (LARGE_BYTES + Rig.PAGE));
        }
    }

    @Test
    void beginAtAPageIfThatWasAskedForOrTheyAreNearTheBudget() {
        try (Rig rig = open()) {
            rig.heap.allocate(LARGE_BYTES); // the first has its turn at the page
            assertThat(inPage(rig.heap.allocate(LARGE_BYTES, 2L * alignment(rig)))).isZero();
            assertThat(inPage(rig.heap.allocate(LARGE_BYTES, Rig.PAGE))).isZero();
            assertThat(inPage(rig.heap.allocate(LARGE_BYTES - 1))).isZero();
            assertThat(inPage(rig.heap.allocate((long) BUDGET_PAGES * Rig.PAGE))).isZero();
            assertThat(inPage(rig.heap.allocate(LARGE_BYTES, alignment(rig)))).isNotZero();
        }
    }

    @Test
    void findAsMuchRoomAsTheHeapWasMadeFor() {
        try (Rig rig = open()) {
            for (int i = 0; i < ByteSize.mib(64) / LARGE_BYTES; i++) {
                assertThat(rig.heap.allocate(LARGE_BYTES).byteSize()).isEqualTo(LARGE_BYTES);
            }
        }
    }

    /// To a device that takes all of the heap this matters more.
    @Test
    void beginAtAPageIfTheHeapJustFitsItsDevice() {
        try (Rig rig = Rig.open(1, builder -> builder.heap(ByteSize.mib(64)).budget(ByteSize.mib(64)))) {
            rig.heap.allocate(LARGE_BYTES);
            assertThat(inPage(rig.heap.allocate(LARGE_BYTES))).isZero();
            assertThat(rig.heap.capacityBytes()).isEqualTo(ByteSize.mib(64));
            assertThat(rig.device(0).hasAperture()).isTrue();
        }
    }

    /// What lies before and behind the data in its pages is nobody's.
    @Test
    void areOverwrittenAsAWhole() {
        try (Rig rig = open()) {
            rig.heap.allocate(LARGE_BYTES);
            MemorySegment segment = rig.heap.allocate(LARGE_BYTES);
            rig.write(segment, 1);
            rig.fill(segment, 2, 0).await();
            assertThat(rig.hmm.report().bytes(Direction.TO_DEVICE)).isZero();
            assertThat(rig.values(segment)).containsExactly(2);
            rig.heap.discard(segment);
            assertThat(rig.heap.residency(segment).emptyBytes()).isEqualTo(LARGE_BYTES + (long) Rig.PAGE);
            assertThat(rig.values(segment)).containsExactly(0);
        }
    }

    /// Blocks of 2 MiB that nobody has touched, some of them protected, beside those that somebody has.
    @Test
    void areLookedAtAndDiscardedWhetherTouchedOrNot() {
        try (Rig rig = open()) {
            MemorySegment segment = rig.heap.allocate(4L * LARGE_BYTES, LARGE_BYTES);
            rig.heap.protect(segment.asSlice(LARGE_BYTES, LARGE_BYTES), Protection.READ);
            rig.heap.protect(segment.asSlice(2L * LARGE_BYTES, LARGE_BYTES), Protection.NONE);
            rig.heap.protect(segment.asSlice(3L * LARGE_BYTES, Rig.PAGE), Protection.NONE);
            rig.write(segment.asSlice(3L * LARGE_BYTES + Rig.PAGE, Rig.PAGE), 5);
            int pages = LARGE_BYTES / Rig.PAGE;
            List<SnapshotCode> codes = rig.heap.snapshot(segment).codes();
            assertThat(codes).hasSize(4 * pages);
            assertThat(codes.subList(0, 2 * pages)).containsOnly(SnapshotCode.NONE);
            assertThat(codes.subList(2 * pages, 3 * pages + 1)).containsOnly(SnapshotCode.ERROR);
            assertThat(codes.get(3 * pages + 1)).isEqualTo(SnapshotCode.WRITE);
            assertThat(codes.subList(3 * pages + 2, 4 * pages)).containsOnly(SnapshotCode.NONE);

            rig.heap.discard(segment);
            assertThat(rig.heap.residency(segment).emptyBytes()).isEqualTo(segment.byteSize());
            assertThat(rig.values(segment.asSlice(3L * LARGE_BYTES + Rig.PAGE, LARGE_BYTES - Rig.PAGE))).containsExactly(0);
            assertThat(rig.heap.snapshot(segment.asSlice(2L * LARGE_BYTES, LARGE_BYTES)).codes()).as("still protected").containsOnly(SnapshotCode.ERROR);
        }
    }

    /// Blocks that nobody has touched, one of them protected, beside one of which a page was written; to new addresses and then to such as had a region before.
    @Test
    void areMovedByBlocksWhereNobodyHasTouchedThem() {
        try (Rig rig = open()) {
            MemorySegment segment = rig.heap.allocate(4L * LARGE_BYTES, LARGE_BYTES);
            int pages = LARGE_BYTES / Rig.PAGE;
            rig.heap.protect(segment.asSlice(2L * LARGE_BYTES, LARGE_BYTES), Protection.NONE);
            rig.write(segment.asSlice(LARGE_BYTES, Rig.PAGE), 7);
            for (int round = 0; round < 12; round++) { // more than the heap has room for, so that addresses come again
                segment = rig.heap.move(segment);
                assertThat(rig.heap.residency(segment).emptyBytes()).isEqualTo(segment.byteSize() - Rig.PAGE);
                List<SnapshotCode> codes = rig.heap.snapshot(segment).codes();
                assertThat(codes.subList(2 * pages, 3 * pages)).as("still protected").containsOnly(SnapshotCode.ERROR);
                assertThat(rig.values(segment.asSlice(LARGE_BYTES, Rig.PAGE))).containsExactly(7);
            }
            assertThat(rig.values(segment.asSlice(0, LARGE_BYTES))).containsExactly(0);
            assertThat(rig.values(segment.asSlice(3L * LARGE_BYTES))).containsExactly(0);
            rig.write(segment.asSlice(3L * LARGE_BYTES, Rig.PAGE), 8);
            assertThat(rig.values(segment.asSlice(3L * LARGE_BYTES, Rig.PAGE))).containsExactly(8);
        }
    }

    @Test
    void areFreedAndMovedAsAWholeAndInPages() {
        try (Rig rig = open()) {
            rig.heap.allocate(LARGE_BYTES);
            MemorySegment segment = rig.heap.allocate(LARGE_BYTES);
            long toPage = Rig.PAGE - inPage(segment);
            long used = rig.heap.usedBytes();
            rig.write(segment, 5);
            rig.add(segment.asSlice(0, LARGE_BYTES / 2), 1, 0).await();
            MemorySegment moved = rig.heap.move(segment);
            assertThat(moved.byteSize()).isEqualTo(LARGE_BYTES);
            assertThat(inPage(moved)).isEqualTo(inPage(segment));
            assertThat(rig.heap.usedBytes()).isEqualTo(used);
            assertThat(rig.values(moved.asSlice(0, LARGE_BYTES / 2))).containsExactly(6);
            assertThat(rig.values(moved.asSlice(LARGE_BYTES / 2))).containsExactly(5);
            assertThatThrownBy(() -> rig.heap.free(moved.asSlice(Rig.PAGE, Rig.PAGE))).isInstanceOf(IllegalArgumentException.class);
            rig.heap.free(moved.asSlice(0, toPage + Rig.PAGE)); // its first two pages
            assertThat(rig.heap.usedBytes()).isEqualTo(used - 2L * Rig.PAGE);
            MemorySegment rest = moved.asSlice(toPage + Rig.PAGE);
            assertThat(rig.values(rest)).containsExactlyInAnyOrder(5, 6);
            rig.heap.protect(rest, Protection.READ);
            rig.heap.free(rest);
            assertThat(rig.heap.usedBytes()).isEqualTo((long) LARGE_BYTES);
        }
    }

    /// Slices that begin and end anywhere, against an array.
    @ParameterizedTest
    @ValueSource(longs = {0, 1})
    void holdWhatTheyShould(long salt) {
        long seed = System.nanoTime() + salt;
        SplittableRandom random = new SplittableRandom(seed);
        try (Rig rig = open()) {
            rig.heap.allocate(LARGE_BYTES);
            MemorySegment segment = rig.heap.allocate(LARGE_BYTES + 4L * random.nextInt(Rig.PAGE));
            int[] expected = new int[Rig.ints(segment)];
            for (int step = 0; step < 300; step++) {
                int first = random.nextInt(4) == 0 ? 0 : random.nextInt(expected.length * 4 / LEAST_ALIGNMENT_BYTES) * LEAST_ALIGNMENT_BYTES / 4;
                int end = random.nextInt(4) == 0 ? expected.length : first + 1 + random.nextInt(Math.min(expected.length - first, 5 * Rig.INTS));
                MemorySegment slice = segment.asSlice(4L * first, 4L * (end - first));
                switch (random.nextInt(5)) {
                    case 0 -> {
                        rig.fill(slice, step, 0).await();
                        Arrays.fill(expected, first, end, step);
                    }
                    case 1 -> {
                        rig.add(slice, 1, 0).await();
                        for (int i = first; i < end; i++) {
                            expected[i]++;
                        }
                    }
                    case 2 -> {
                        rig.write(slice, step);
                        Arrays.fill(expected, first, end, step);
                    }
                    case 3 -> {
                        rig.heap.discard(slice);
                        try (HostView view = rig.heap.view(slice, Access.READ)) { // whole pages only, and what is left is as before
                            for (int i = first; i < end; i++) {
                                int found = view.segment().getAtIndex(JAVA_INT, i - (long) first);
                                assertThat(found).as("seed=%d, step=%d, index=%d", seed, step, i).isIn(0, expected[i]);
                                expected[i] = found;
                            }
                        }
                    }
                    default -> segment = rig.heap.move(segment);
                }
                assertThat(rig.read(segment)).as("seed=%d, step=%d", seed, step).isEqualTo(expected);
            }
            rig.heap.free(segment);
            assertThat(rig.heap.usedBytes()).isEqualTo((long) LARGE_BYTES);
        }
    }
}
