package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.emulated.EmulatedGpu;
import io.github.hmm4j.emulated.Engine;
import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/// An aperture takes as much of the device as the heap has allocated, and not as much as could be.
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
@Tag("emulated-gpu")
class GrowingApertureTest {

    private static final long MIB = 1 << 20;
    private static final int PAGES_PER_MIB = (int) (MIB / Rig.PAGE);
    private static final long LEAST_BYTES = 64 * MIB;

    /// An aperture on a device of 1 GiB, a quarter of it in one allocation.
    private static Rig open() {
        Rig rig = Rig.gpus(1, builder -> builder.heap(ByteSize.mib(240)).budget(256 * MIB));
        assertThat(rig.device(0).hasAperture()).isTrue();
        return rig;
    }

    @AfterEach
    void asOthersExpectIt() {
        EmulatedGpu.reset();
    }

    /// The device commits a buffer with its first use, all of it.
    @Test
    void itIsTheHeapsAllocationsThatTakeMemory() {
        try (Rig rig = open()) {
            MemorySegment few = rig.filled(2, 5);
            rig.add(few, 1, 0).await();
            assertThat(rig.device(0).usedBytes()).isEqualTo(LEAST_BYTES);
            assertThat(rig.gpu().usedBytes()).isLessThan(2 * LEAST_BYTES);

            MemorySegment much = rig.pages(100 * PAGES_PER_MIB);
            rig.add(few, 1, 0).await();
            assertThat(rig.device(0).usedBytes()).as("no kernel has used it").isEqualTo(LEAST_BYTES);
            MemorySegment last = Rig.page(much, 100 * PAGES_PER_MIB - 1);
            rig.add(last, 7, 0).await();
            assertThat(rig.device(0).usedBytes()).isEqualTo(128 * MIB);
            assertThat(rig.values(few)).containsExactly(7);
            assertThat(rig.values(last)).containsExactly(7);

            rig.add(Rig.page(rig.pages(100 * PAGES_PER_MIB), 100 * PAGES_PER_MIB - 1), 1, 0).await();
            assertThat(rig.device(0).usedBytes()).as("never more than the heap").isEqualTo(rig.heap.capacityBytes());
            rig.add(few, 1, 0).await();
            assertThat(rig.values(few)).containsExactly(8);
            assertThat(rig.values(Rig.page(much, 0))).containsExactly(0);
        }
    }

    /// One number is added to every pointer, before and after.
    @Test
    void pointersAreFollowedInALargerOne() {
        try (Rig rig = open()) {
            MemorySegment near = rig.filled(1, 10);
            rig.kernel("bump").args(Arg.heap(Arg.inOut(near)), near.address()).launch(NDRange.of(1)).await();
            MemorySegment far = Rig.page(rig.pages(70 * PAGES_PER_MIB), 70 * PAGES_PER_MIB - 1);
            rig.write(far, 20);
            rig.kernel("bump").args(Arg.heap(Arg.inOut(near), Arg.inOut(far)), far.address()).launch(NDRange.of(1)).await();
            rig.kernel("bump").args(Arg.heap(Arg.inOut(near)), near.address()).launch(NDRange.of(1)).await();
            assertThat(rig.read(near)[0]).isEqualTo(12);
            assertThat(rig.read(far)[0]).isEqualTo(21);
        }
    }

    /// A device that has not twice as much is asked for what there must be; one that has not that either refuses, and nothing is lost.
    @Test
    void whatTheDeviceDoesNotHaveIsNotWished() {
        try (Rig rig = open()) {
            MemorySegment few = rig.filled(2, 5);
            rig.add(few, 1, 0).await();
            long beside = rig.gpu().usedBytes() - LEAST_BYTES;
            EmulatedGpu.limit(beside + 110 * MIB, 110 * MIB);
            MemorySegment much = rig.pages(100 * PAGES_PER_MIB);
            MemorySegment last = Rig.page(much, 100 * PAGES_PER_MIB - 1);
            rig.add(last, 1, 0).await();
            assertThat(rig.device(0).usedBytes()).as("not 128 MiB").isBetween(100 * MIB, 110 * MIB);

            MemorySegment tooMuch = rig.pages(20 * PAGES_PER_MIB);
            assertThatThrownBy(() -> rig.add(tooMuch, 1, 0)).isInstanceOf(DeviceMemoryExhaustedException.class).hasMessageContaining("one allocation");
            assertThat(rig.values(few)).containsExactly(6);
            assertThat(rig.values(last)).containsExactly(1);
            rig.heap.free(tooMuch);
            rig.add(few, 1, 0).await();
            assertThat(rig.values(few)).containsExactly(7);
        }
    }

    /// What is in the smaller piece is used there to the end.
    @Test
    void kernelsThatRunAreWaitedFor() {
        try (Rig rig = open()) {
            MemorySegment few = rig.filled(2, 5);
            rig.add(few, 1, 0).await();
            MemorySegment far = Rig.page(rig.pages(70 * PAGES_PER_MIB), 70 * PAGES_PER_MIB - 1);
            rig.gpu().hold(Engine.COMPUTE);
            Launch running = rig.add(few, 10, 0);
            Background<Launch> growing = Background.call(() -> rig.add(far, 3, 0)).awaitWaiting();
            assertThat(rig.device(0).usedBytes()).isEqualTo(LEAST_BYTES);
            rig.gpu().resume();
            growing.join().await();
            running.await();
            assertThat(rig.device(0).usedBytes()).isEqualTo(128 * MIB);
            assertThat(rig.values(few)).containsExactly(16);
            assertThat(rig.values(far)).containsExactly(3);
        }
    }

    /// It gets larger three times, and is given back, while others launch and read.
    @Test
    void othersGoOnMeanwhile() {
        try (Rig rig = open()) {
            AtomicBoolean ends = new AtomicBoolean();
            List<Background<Integer>> others = new ArrayList<>();
            List<MemorySegment> theirs = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                MemorySegment pages = rig.filled(3, 0);
                theirs.add(pages);
                others.add(Background.call(() -> {
                    int rounds = 0;
                    while (!ends.get()) {
                        Launch launch = rig.add(pages, 1, 0);
                        rounds++;
                        if (rounds % 3 == 0) {
                            launch.await();
                            assertThat(rig.values(pages)).containsExactly(rounds);
                        }
                    }
                    return rounds;
                }));
            }
            for (int round = 0; round < 3; round++) {
                List<MemorySegment> steps = new ArrayList<>();
                for (int mib : new int[] {40, 30, 70}) {
                    MemorySegment step = rig.pages(mib * PAGES_PER_MIB);
                    steps.add(step);
                    MemorySegment last = Rig.page(step, mib * PAGES_PER_MIB - 1);
                    rig.add(last, mib, 0).await();
                    assertThat(rig.values(last)).containsExactly(mib);
                }
                steps.forEach(rig.heap::free);
                rig.hmm.evictAll(rig.device(0));
            }
            ends.set(true);
            for (int i = 0; i < 2; i++) {
                int rounds = others.get(i).join();
                assertThat(rounds).isPositive();
                assertThat(rig.values(theirs.get(i))).containsExactly(rounds);
            }
        }
    }
}
