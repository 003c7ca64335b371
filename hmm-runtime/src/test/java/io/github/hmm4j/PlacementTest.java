package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.account.Direction;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Devices that are smaller than the heap.
@Timeout(60)
class PlacementTest {

    @Test
    void aLaunchThatDoesNotFitSaysWhatItNeeded() {
        try (Rig rig = Rig.windows(1, 10)) {
            MemorySegment a = rig.filled(6, 1);
            MemorySegment b = rig.filled(5, 2);
            var both = rig.kernel("two").args(a, b);
            assertThatThrownBy(() -> both.launch(NDRange.of(1)))
                    .isInstanceOfSatisfying(DeviceMemoryExhaustedException.class, e -> {
                        assertThat(e.neededBytes()).isEqualTo(11L * Rig.PAGE);
                        assertThat(e.budgetBytes()).isEqualTo(10L * Rig.PAGE);
                        assertThat(e).hasMessageContaining("0x%x".formatted(a.address()))
                                .hasMessageContaining("0x%x".formatted(b.address()))
                                .hasMessageContaining("=" + 6 * Rig.PAGE + " bytes")
                                .hasMessageContaining("=" + 5 * Rig.PAGE + " bytes")
                                .hasMessageContaining("let the kernel page (hmm.clh)").hasMessageEndingWith("let kernels fault (HmmBuilder.deviceFaults)");
                    });
            assertThat(rig.heap.residency(a).hostBytes()).isEqualTo(6L * Rig.PAGE);
            rig.kernel("two").args(a, Rig.pages(b, 0, 4)).launch(NDRange.of(1)).await();
            assertThat(rig.read(a)[0]).isEqualTo(2);
            assertThat(rig.read(b)[0]).isEqualTo(3);
        }
    }

    @Test
    void slicesOfARegionLargerThanTheBudgetWorkOneAfterAnother() {
        try (Rig rig = Rig.windows(1, 8)) {
            MemorySegment big = rig.filled(40, 7);
            for (int first = 0; first < 40; first += 5) {
                rig.add(Rig.pages(big, first, 5), first, 0).await();
            }
            for (int page = 0; page < 40; page++) {
                assertThat(rig.values(Rig.page(big, page))).containsExactly(7 + page / 5 * 5);
            }
            assertThat(rig.device(0).usedBytes()).isLessThanOrEqualTo(8L * Rig.PAGE);
        }
    }

    /// The window of the first range is a whole region, in the middle of which the launch needs two pages.
    @Test
    void whatIsKeptForALaunchDoesNotStandInItsOwnWay() {
        try (Rig rig = Rig.windows(1, 10)) {
            MemorySegment wide = rig.filled(8, 1);
            MemorySegment six = rig.filled(6, 2);
            rig.kernel("two").args(Rig.pages(wide, 3, 2), six).launch(NDRange.of(1)).await();
            assertThat(rig.read(Rig.page(wide, 3))[0]).isEqualTo(2);
            assertThat(rig.read(six)[0]).isEqualTo(3);
        }
    }

    @Test
    void theLongestRangeFindsItsPlaceFirst() {
        try (Rig rig = Rig.over(OddDevice.with("info", (real, _) -> ((DeviceInfo) real.call()).allocating(6L * Rig.PAGE)), builder -> builder.heap(ByteSize.mib(64)).budget(10L * Rig.PAGE))) {
            MemorySegment two = rig.filled(2, 1);
            MemorySegment six = rig.filled(6, 2);
            rig.kernel("two").args(two, six).launch(NDRange.of(1)).await();
            assertThat(rig.read(two)[0]).isEqualTo(2);
            assertThat(rig.read(six)[0]).isEqualTo(3);
        }
    }

    @Test
    void overlappingWindowsMoveTogetherWithWhatIsDirty() {
        try (Rig rig = Rig.windows(1, 24)) {
            MemorySegment wide = rig.filled(40, 1); // larger than the budget: each slice gets a window of its own
            rig.add(Rig.pages(wide, 0, 4), 10, 0).await();
            rig.add(Rig.pages(wide, 6, 4), 20, 0).await();
            rig.add(Rig.pages(wide, 2, 6), 100, 0).await();
            assertThat(rig.count(Counter.RELOCATED_PAGES)).isPositive();
            rig.add(Rig.pages(wide, 0, 10), 1000, 0).await();
            int[] expected = {1011, 1011, 1111, 1111, 1101, 1101, 1121, 1121, 1021, 1021, 1};
            for (int page = 0; page < expected.length; page++) {
                assertThat(rig.values(Rig.page(wide, page))).as("page %d", page).containsExactly(expected[page]);
            }
        }
    }

    /// A buffer that fills the device and a flag beside it: in each round one page of either goes, and one of either comes.
    @Test
    void whatIsOnePageShortMovesOnePage() {
        try (Rig rig = Rig.windows(1, 16)) {
            MemorySegment buffer = rig.filled(16, 0);
            MemorySegment flag = rig.filled(1, 0);
            rig.add(buffer, 1, 0).await();
            rig.add(flag, 1, 0).await();
            Report before = rig.hmm.report();
            for (int round = 2; round <= 6; round++) {
                rig.add(buffer, 1, 0).await();
                rig.add(flag, 1, 0).await();
            }
            Report since = rig.hmm.report().since(before);
            assertThat(since.bytes(Direction.TO_HOST)).isEqualTo(5 * 2L * Rig.PAGE);
            assertThat(since.bytes(Direction.TO_DEVICE)).isEqualTo(5 * 2L * Rig.PAGE);
            assertThat(rig.values(buffer)).containsExactly(6);
            assertThat(rig.values(flag)).containsExactly(6);
        }
    }

    /// The flag has taken a frame from the very slice that a launch wants together with it.
    @Test
    void aSliceGetsItsPlaceBackFromWhatIsLaunchedTogetherWithIt() {
        try (Rig rig = Rig.windows(1, 16)) {
            MemorySegment buffer = rig.filled(16, 0);
            MemorySegment flag = rig.filled(1, 0);
            rig.add(buffer, 1, 0).await();
            Report before = rig.hmm.report();
            for (int first = 0; first < 16; first += 4) {
                rig.kernel("two").args(flag, Rig.pages(buffer, first, 4)).launch(NDRange.of(1)).await();
            }
            assertThat(rig.hmm.report().since(before).pages()).isLessThanOrEqualTo(4 * 4);
            for (int page = 0; page < 16; page++) {
                assertThat(rig.read(Rig.page(buffer, page))[0]).as("page %d", page).isEqualTo(page % 4 == 0 ? 2 : 1);
            }
            assertThat(rig.read(flag)[0]).isEqualTo(4);
        }
    }

    /// Most of the range's place is somebody else's by now: then it is cheaper to look for another.
    @Test
    void aRangeOfWhichLittleIsLeftIsPlacedAnew() {
        try (Rig rig = Rig.windows(1, 12)) {
            MemorySegment old = rig.filled(8, 1);
            MemorySegment fresh = rig.filled(10, 2);
            rig.add(old, 1, 0).await();
            rig.add(fresh, 1, 0).await();
            rig.add(old, 1, 0).await();
            rig.add(fresh, 1, 0).await();
            assertThat(rig.values(old)).containsExactly(3);
            assertThat(rig.values(fresh)).containsExactly(4);
        }
    }

    @Test
    void whatWasJustPrefetchedIsNotTheFirstToGo() {
        try (Rig rig = Rig.windows(1, 8)) {
            MemorySegment old = rig.filled(4, 1);
            MemorySegment fresh = rig.filled(4, 2);
            rig.add(old, 1, 0).await();
            rig.heap.prefetch(fresh, rig.device(0));
            rig.heap.prefetch(rig.filled(4, 3), rig.device(0));
            assertThat(rig.heap.residency(fresh).onDevice(rig.device(0))).isEqualTo(4L * Rig.PAGE);
            assertThat(rig.heap.residency(old).hostBytes()).isEqualTo(4L * Rig.PAGE);
        }
    }

    @Test
    void aPolicyThatFailsOrAnswersNonsenseOnlyStopsGivingHints() {
        int[][] answers = {null, {}, {-1}, {1 << 20}, {0, 0, 0, 0, 0, 0, 0, 0}};
        for (int[] answer : answers) {
            try (Rig rig = Rig.open(1, builder -> builder.heap(ByteSize.mib(64)).budget(8L * Rig.PAGE)
                    .eviction((_, _) -> answer == null ? failing() : answer))) {
                MemorySegment a = rig.filled(8, 1);
                MemorySegment b = rig.filled(8, 2);
                rig.add(a, 1, 0).await();
                rig.add(b, 1, 0).await();
                assertThat(rig.values(a)).containsExactly(2);
                assertThat(rig.values(b)).containsExactly(3);
            }
        }
    }

    private static int[] failing() {
        throw new IllegalStateException("no idea");
    }

    @Test
    void kernelsFollowPointersWhereverTheHeapsFirstPageIs() {
        try (Rig rig = Rig.aperture(1)) {
            rig.filled(1, 0); // the heap's first page never goes to the device
            MemorySegment a = rig.filled(2, 5);
            rig.kernel("bump").args(Arg.heap(Arg.inOut(a)), a.address() + Rig.PAGE).launch(NDRange.of(1)).await();
            assertThat(rig.read(a)[Rig.INTS]).isEqualTo(6);
            rig.heap.prefetchHost(a);
            rig.kernel("nothing").args(a).launch(NDRange.of(1)).await();
        }
    }

    @Test
    void theHeapCanBePassedBeforeAnythingIsOnTheDevice() {
        try (Rig rig = Rig.aperture(1)) {
            rig.kernel("bump").args(Arg.heap(), rig.pages(1).address()).launch(NDRange.of(1)).await();
            assertThat(rig.device(0).usedBytes()).isEqualTo(rig.heap.capacityBytes());
        }
    }
}
