package io.github.hmm4j.space;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// When addresses that were freed are allocated again.
class QuarantineTest {

    private static final int PAGE = 64 << 10;
    private static final long MIB = 1L << 20;

    private AddressSpace space = new AddressSpace(64L << 30, new PageSize(PAGE));

    @AfterEach
    void close() {
        space.close();
    }

    private void openAnother(long capacityBytes) {
        space.close();
        space = new AddressSpace(capacityBytes, new PageSize(PAGE));
    }

    private VaRange allocate(long lengthBytes) {
        return space.allocate(lengthBytes, 1).range();
    }

    private void free(VaRange range, boolean withMemory) {
        space.unmap(range);
        space.recycle(range, withMemory, null);
    }

    /// Allocates and frees others of this size until the addresses of `range` are given out again; says how many there were before.
    private int othersBefore(VaRange range, long lengthBytes, boolean withMemory) {
        for (int others = 0; ; others++) {
            VaRange next = allocate(lengthBytes);
            if (next.overlaps(range)) {
                return others;
            }
            free(next, withMemory);
            assertThat(others).as("others").isLessThan(200);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, PAGE, 3 * PAGE, 2 * MIB, 256 * MIB})
    void addressesAreNotUsedAgainBeforeSixtyFourOthersWereFreed(long lengthBytes) {
        VaRange range = allocate(lengthBytes);
        free(range, false);
        assertThat(space.usedBytes()).as("only addresses wait").isZero();
        assertThat(othersBefore(range, lengthBytes, false)).isEqualTo(64);
    }

    /// As with large regions, some of which begin at their page and others behind it ([Coloring]).
    @Test
    void regionsOfNearlyOneSizeMeetTheMemoryThatWasKept() {
        openAnother(32 * MIB);
        space.host().retire(new PageRange(0, space.pageCount())); // as if all of it had been used before
        for (int i = 0; i < 300; i++) {
            VaRange range = allocate(4 * MIB + (i % 13 == 0 ? 0 : PAGE));
            assertThat(space.host().isBacked(space.pagesOf(range))).as("allocation %d", i).isTrue();
            space.host().retire(space.pagesOf(range));
            free(range, true);
        }
    }

    /// Else what is kept of it would be of no use.
    @ParameterizedTest
    @CsvSource({"1, 64", "2, 31", "16, 3", "32, 1"})
    void thoseWithMemoryWaitAsLongAsAllOfItCanBeKept(long lengthMib, int others) {
        VaRange range = allocate(lengthMib * MIB);
        free(range, true);
        assertThat(othersBefore(range, lengthMib * MIB, true)).isEqualTo(others);
    }

    @Test
    void thoseWithMemoryDriveOutTheirLikeOnly() {
        VaRange small = allocate(PAGE);
        free(small, false);
        for (int i = 0; i < 40; i++) {
            free(allocate(16 * MIB), true);
        }
        assertThat(othersBefore(small, PAGE, false)).isEqualTo(64 - 3);
    }

    @Test
    void addressesOfLargeRegionsTogetherAreLimited() {
        openAnother(256L << 30);
        VaRange large = allocate(20L << 30);
        free(large, false);
        assertThat(othersBefore(large, 20L << 30, false)).as("the last one waits whatever it is").isEqualTo(1);
        openAnother(256L << 30);
        VaRange medium = allocate(1L << 30);
        free(medium, false);
        assertThat(othersBefore(medium, 1L << 30, false)).isEqualTo(16);
    }

    /// An address space of so many regions of 1 MiB.
    private List<VaRange> allOfEight() {
        openAnother(8 * MIB);
        List<VaRange> all = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            all.add(allocate(MIB));
        }
        return all;
    }

    @Test
    void whereThereIsNoOtherPlaceTheOldestAreUsedAndNoMoreThanNeeded() {
        List<VaRange> all = allOfEight();
        List.of(5, 2, 3, 0).forEach(i -> free(all.get(i), false));
        assertThat(allocate(MIB)).isEqualTo(all.get(5));
        assertThat(allocate(MIB)).isEqualTo(all.get(2));
        free(all.get(2), false);
        assertThat(allocate(MIB)).as("the one that has waited longest").isEqualTo(all.get(3));
        assertThat(allocate(MIB)).isEqualTo(all.get(0));
        assertThat(allocate(MIB)).isEqualTo(all.get(2));
        assertThatThrownBy(() -> allocate(1)).isInstanceOf(OutOfMemoryError.class).hasMessageContaining("freeBytes=0");
    }

    @Test
    void neighboursAreOneRangeWhenTheyHaveWaited() {
        List<VaRange> all = allOfEight();
        List.of(0, 3, 5, 2, 4).forEach(i -> free(all.get(i), false));
        VaRange joined = allocate(4 * MIB); // of what has waited longest, the first stays free by itself
        assertThat(joined).isEqualTo(new VaRange(all.get(2).startBytes(), all.get(5).endBytes()));
        assertThat(allocate(MIB)).isEqualTo(all.get(0));
        List.of(7, 0, 6, 1).forEach(i -> free(all.get(i), false));
        free(joined, false);
        assertThat(allocate(8 * MIB).lengthBytes()).isEqualTo(8 * MIB);
    }

    /// Against a list of what was freed last.
    @ParameterizedTest
    @ValueSource(longs = {0, 1})
    void whateverIsFreedWaitsWhileThereIsOtherSpace(long salt) {
        long seed = System.nanoTime() + salt;
        SplittableRandom random = new SplittableRandom(seed);
        List<VaRange> model = new ArrayList<>();
        List<VaRange> last = new ArrayList<>();
        for (int step = 0; step < 5000; step++) {
            if (model.isEmpty() || random.nextInt(model.size() + 20) < 20) {
                VaRange range = allocate(1 + random.nextLong(4 * MIB));
                assertThat(last).as("seed=%d, step=%d", seed, step).noneMatch(range::overlaps);
                model.add(range);
            } else {
                VaRange range = model.remove(random.nextInt(model.size()));
                free(range, false);
                last.add(range);
                if (last.size() > 64) {
                    last.removeFirst();
                }
            }
        }
    }
}
