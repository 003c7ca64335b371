package io.github.hmm4j.device;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.error.DeviceLostException;
import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import io.github.hmm4j.error.OpenClFailedException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FramePoolTest {

    private static final int PAGE = 4096;

    private final FakeDevice device = new FakeDevice(64 * PAGE, 16 * PAGE);

    @AfterEach
    void close() {
        device.close();
    }

    @Test
    void takesMemoryOnlyWhenItIsNeeded() {
        try (FrameMemory memory = new FrameMemory(device, PAGE, 40 * PAGE + 100)) {
            FramePool pool = new FramePool(memory);
            assertThat(memory.capacityFrames()).isEqualTo(40);
            assertThat(device.usedBytes()).isZero();
            assertThat(pool.allocateRun(3)).isEqualTo(new FrameRun(0, 3));
            assertThat(memory.frames() * (long) PAGE).isEqualTo(device.usedBytes()).isEqualTo(16 * PAGE);
            assertThat(pool.freeFrames()).isEqualTo(37);
        }
        assertThat(device.openObjects()).isZero();
    }

    @Test
    void neverExceedsTheBudget() {
        try (FrameMemory memory = new FrameMemory(device, PAGE, 40 * PAGE)) {
            FramePool pool = new FramePool(memory);
            for (int frame = 0; frame < 40; frame++) {
                assertThat(pool.allocateRun(1)).isEqualTo(new FrameRun(frame, 1));
            }
            assertThat(pool.allocateRun(1)).isNull();
            assertThat(memory.frames()).isEqualTo(40);
            assertThat(pool.freeFrames()).isZero();
        }
    }

    @Test
    void aRunLiesInOneChunk() {
        try (FrameMemory memory = new FrameMemory(device, PAGE, 40 * PAGE)) {
            FramePool pool = new FramePool(memory);
            pool.allocateRun(10);
            FrameRun second = pool.allocateRun(10);
            assertThat(second).isEqualTo(new FrameRun(16, 10));
            assertThat(memory.isContiguous(16, 25)).isTrue();
            assertThat(memory.isContiguous(9, 16)).isFalse();
            assertThat(memory.memoryOf(16)).isNotSameAs(memory.memoryOf(9)).isSameAs(memory.memoryOf(25));
            assertThat(memory.offsetOf(25)).isEqualTo(9 * PAGE);
            assertThat(pool.allocateRun(17)).isNull();
        }
    }

    @Test
    void takesTheVeryFramesThatAreAskedForOrNone() {
        try (FrameMemory memory = new FrameMemory(device, PAGE, 40 * PAGE)) {
            FramePool pool = new FramePool(memory);
            assertThat(pool.allocateAt(0, 1)).as("without memory").isFalse();
            pool.allocateRun(10);
            pool.free(4, 3);
            assertThat(pool.allocateAt(4, 4)).as("one of them is used").isFalse();
            assertThat(pool.allocateAt(5, 2)).isTrue();
            assertThat(memory.usedFrames()).isEqualTo(9);
            assertThat(pool.allocateAt(15, 2)).as("not in one piece").isFalse();
            assertThat(pool.allocateAt(-1, 2)).isFalse();
            assertThat(pool.allocateRun(1)).isEqualTo(new FrameRun(4, 1));
            assertThat(memory.isContiguous(15, 16)).as("the second has no memory").isFalse();
            assertThat(memory.isContiguous(16, 17)).as("without memory").isFalse();
        }
    }

    @Test
    void givesFreeChunksBackWhenALongerRunNeedsTheirPlace() {
        try (FrameMemory memory = new FrameMemory(device, PAGE, 16 * PAGE)) {
            FramePool pool = new FramePool(memory);
            device.refuseAllocations(3);    // 16, 8, 4 frames are refused, 2 are had
            FrameRun small = pool.allocateRun(2);
            assertThat(small).isEqualTo(new FrameRun(0, 2));
            assertThat(memory.frames()).isEqualTo(2);
            assertThat(pool.allocateRun(16)).isNull();
            pool.free(0, 2);
            assertThat(pool.allocateRun(16)).isEqualTo(new FrameRun(0, 16));
            assertThat(device.usedBytes()).isEqualTo(16 * PAGE);
        }
    }

    @Test
    void aRefusedAllocationTakesNothing() {
        try (FrameMemory memory = new FrameMemory(device, PAGE, 32 * PAGE)) {
            FramePool pool = new FramePool(memory);
            pool.allocateRun(10);
            device.refuseAllocations(2);    // 16 frames, then the 12 that are needed
            assertThatThrownBy(() -> pool.allocateRun(12)).isInstanceOf(OpenClFailedException.class);
            assertThat(memory.usedFrames()).isEqualTo(10);
            assertThat(pool.allocateRun(12)).isEqualTo(new FrameRun(16, 12));
            pool.free(0, 10);
            pool.free(16, 12);
            pool.releaseFreeChunks();
            assertThat(device.usedBytes()).isZero();
            device.lose();
            assertThatThrownBy(() -> pool.allocateRun(1)).isInstanceOf(DeviceLostException.class);
            assertThat(memory.usedFrames()).isZero();
        }
    }

    @Test
    void aPoolThatHasShrunkTakesNoMoreThanItIsLeft() {
        try (FrameMemory memory = new FrameMemory(device, PAGE, 32 * PAGE)) {
            FramePool pool = new FramePool(memory);
            pool.allocateRun(10);
            assertThat(pool.shrink()).as("all that it has is used").isZero();
            pool.free(0, 10);
            assertThat(pool.shrink()).isEqualTo(16 * PAGE);
            assertThat(device.usedBytes()).isZero();
            assertThat(pool.allocateRun(13)).as("of 12 that are left").isNull();
            assertThat(pool.allocateRun(5)).isEqualTo(new FrameRun(0, 5));
            assertThat(memory.frames()).isEqualTo(12);
            assertThat(pool.allocateRun(8)).isNull();
            assertThat(pool.allocateRun(7)).isEqualTo(new FrameRun(5, 7));
            assertThat(pool.growAgain()).isTrue();
            assertThat(pool.allocateRun(16)).isEqualTo(new FrameRun(12, 16));
            assertThat(pool.growAgain()).as("it has all of the budget").isFalse();
        }
    }

    @Test
    void refusesToFreeWhatIsNotUsed() {
        try (FrameMemory memory = new FrameMemory(device, PAGE, 32 * PAGE)) {
            FramePool pool = new FramePool(memory);
            assertThatThrownBy(() -> pool.free(0, 1)).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("frame=0");
            pool.allocateRun(4);
            pool.free(1, 2);
            assertThatThrownBy(() -> pool.free(0, 4)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> pool.free(3, 14)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> pool.free(3, 30)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> memory.slice(0, 0, 2 * PAGE))
                    .hasMessageContaining("not all of these frames are in use");
            assertThat(memory.usedFrames()).isEqualTo(2);
            assertThat(pool.allocateRun(2)).isEqualTo(new FrameRun(1, 2));
        }
        assertThatThrownBy(() -> new FrameMemory(device, 5000, 1)).hasMessageContaining("pageBytes=5000");
        assertThatThrownBy(() -> new FrameMemory(device, PAGE, -1)).hasMessageContaining("budgetBytes=-1");
        try (FrameMemory memory = new FrameMemory(device, PAGE, 17 * PAGE)) {
            assertThatThrownBy(() -> new Aperture(memory)).hasMessageContaining("frames=17");
        }
    }

    @Test
    void anApertureIsOneChunkWhereFrameIsPage() {
        try (FrameMemory memory = new FrameMemory(device, PAGE, 16 * PAGE)) {
            Aperture aperture = new Aperture(memory);
            assertThat(memory.frames()).isZero();
            device.refuseAllocations(1);
            assertThatThrownBy(() -> aperture.allocate(6, 6)).isInstanceOf(DeviceMemoryExhaustedException.class).hasMessageContaining("in one allocation");
            assertThat(memory.frames()).isZero();
            aperture.allocate(6, 8);
            aperture.allocate(1, 16); // it has some
            assertThat(device.allocations()).isEqualTo(2);
            assertThat(memory.frames()).isEqualTo(8).isEqualTo(memory.usedFrames());
            assertThat(device.usedBytes()).as("and not that of all pages").isEqualTo(8 * PAGE);
            assertThat(memory.offsetOf(5)).isEqualTo(5 * PAGE);
            assertThat(memory.isContiguous(0, 7)).isTrue();
            assertThat(memory.isContiguous(0, 8)).isFalse();
            assertThat(memory.slice(0, 0, 8 * PAGE).lengthBytes()).isEqualTo(8 * PAGE);
            aperture.release();
            assertThat(memory.usedFrames()).isZero();
            device.refuseAllocations(1);
            aperture.allocate(9, 16);
            assertThat(memory.frames()).as("what must be there, where the device refuses more").isEqualTo(9);
            assertThatThrownBy(() -> aperture.allocate(9, 17)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(device.openObjects()).isZero();
    }

    @Test
    void theSameSliceIsGivenAgainUntilItsFramesAreFreed() {
        try (FrameMemory memory = new FrameMemory(device, PAGE, 16 * PAGE)) {
            FramePool pool = new FramePool(memory);
            pool.allocateRun(8);
            DeviceMemory slice = memory.slice(2, 128, PAGE);
            assertThat(memory.slice(2, 128, PAGE)).isSameAs(slice);
            assertThat(memory.slice(2, 0, PAGE)).isNotSameAs(slice);
            assertThat(device.slices()).isEqualTo(2);
            pool.free(3, 1);
            assertThat(memory.openSlices()).as("the slice over frames 2 and 3 is gone, the one over 2 is not")
                    .isEqualTo(1);
            memory.release(slice);
            pool.allocateRun(1);
            assertThat(memory.slice(2, 128, PAGE)).isNotSameAs(slice);
        }
    }

    @Test
    void heldSlicesStayOpenAndIdleOnesAreLimited() {
        try (FrameMemory memory = new FrameMemory(device, PAGE, 16 * PAGE)) {
            FramePool pool = new FramePool(memory);
            pool.allocateRun(16);
            List<DeviceMemory> held = new ArrayList<>();
            for (int i = 0; i < FrameMemory.IDLE_SLICES + 10; i++) {
                held.add(memory.slice(0, 0, i + 1));
            }
            assertThat(memory.openSlices()).isEqualTo(FrameMemory.IDLE_SLICES + 10);
            held.forEach(memory::release);
            assertThat(memory.openSlices()).isEqualTo(FrameMemory.IDLE_SLICES);
            assertThat(memory.slice(0, 0, 1)).as("the oldest went first").isNotSameAs(held.getFirst());
            assertThat(memory.slice(0, 0, 266)).isSameAs(held.getLast());
            memory.release(held.getLast());
            assertThatThrownBy(() -> memory.release(held.getLast())).isInstanceOf(IllegalStateException.class);
            device.refuseSlices(1);
            assertThatThrownBy(() -> memory.slice(3, 0, 1)).isInstanceOf(OpenClFailedException.class);
        }
        assertThat(device.openObjects()).isZero();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 20261120})
    void agreesWithANaiveBitmap(long seed) {
        Random random = new Random(seed);
        int capacity = 50;
        int maxRun = 16;
        try (FrameMemory memory = new FrameMemory(device, PAGE, (long) capacity * PAGE)) {
            FramePool pool = new FramePool(memory);
            BitSet used = new BitSet();
            for (int step = 0; step < 5_000; step++) {
                String where = "seed=" + seed + ", step=" + step;
                int largest = largestByHand(memory, used, capacity, maxRun);
                if (random.nextInt(100) < (step / 200 % 2 == 0 ? 70 : 20)) {
                    int count = 1 + random.nextInt(random.nextInt(3) == 0 ? maxRun + 2 : 4);
                    if (random.nextBoolean()) {
                        device.refuseAllocations(random.nextInt(5));    // makes small chunks, or fails
                    }
                    allocate(memory, pool, used, count, largest, where);
                    device.refuseAllocations(0);
                } else if (!used.isEmpty()) {
                    free(memory, pool, used, random);
                } else {
                    pool.releaseFreeChunks();    // so that chunks of other sizes come
                    assertThat(device.usedBytes()).as(where).isZero();
                }
                assertThat(memory.usedFrames()).as(where).isEqualTo(used.cardinality());
                assertThat(device.usedBytes()).as(where).isEqualTo(memory.frames() * (long) PAGE)
                        .isLessThanOrEqualTo((long) capacity * PAGE);
            }
        }
        assertThat(device.openObjects()).isZero();
    }

    /// As `chunk_of` of dma.c goes about it, where chunks of any size come and go beside each other: several among the same 64 frames, and one over many of these.
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 20261130})
    void nativeCodeFindsTheSameMemory(long seed) {
        Random random = new Random(seed);
        int capacity = 700;
        FakeDevice large = new FakeDevice((long) capacity * PAGE, 300 * PAGE);
        try (FrameMemory memory = new FrameMemory(large, PAGE, (long) capacity * PAGE)) {
            FramePool pool = new FramePool(memory);
            BitSet used = new BitSet();
            for (int step = 0; step < 2_000; step++) {
                large.refuseAllocations(random.nextInt(9));
                if (random.nextInt(100) < (step / 200 % 2 == 0 ? 70 : 20)) {
                    int count = 1 + random.nextInt(random.nextInt(3) == 0 ? 200 : 20);
                    allocate(memory, pool, used, count, largestByHand(memory, used, capacity, 300), "seed=" + seed + ", step=" + step);
                } else if (!used.isEmpty()) {
                    free(memory, pool, used, random);
                }
                if (random.nextInt(10) == 0) {
                    pool.releaseFreeChunks();
                }
                used.stream().forEach(frame -> {
                    int first = firstOfChunk(memory.nativeTables(), frame);
                    assertThat(memory.offsetOf(frame)).as("seed=%d, frame=%d", seed, frame).isEqualTo((long) (frame - first) * PAGE);
                    assertThat(at(memory.nativeTables().memoryOfChunk(), JAVA_LONG, first)).as("seed=%d, frame=%d", seed, frame).isEqualTo(memory.memoryOf(frame).nativeHandle());
                });
            }
        }
        assertThat(large.openObjects()).isZero();
    }

    private static int firstOfChunk(FrameMemory.NativeTables tables, int frame) {
        long starts = at(tables.chunkStarts(), JAVA_LONG, frame / 64) << (63 - frame % 64);
        return starts != 0 ? frame - Long.numberOfLeadingZeros(starts) : (int) at(tables.chunkAt(), JAVA_INT, frame / 64);
    }

    private static long at(long table, ValueLayout layout, long index) {
        MemorySegment entry = MemorySegment.ofAddress(table + index * layout.byteSize()).reinterpret(layout.byteSize());
        return layout == JAVA_LONG ? entry.get(JAVA_LONG, 0) : entry.get(JAVA_INT, 0);
    }

    private static void allocate(FrameMemory memory, FramePool pool, BitSet used, int count, int largest, String where) {
        FrameRun run;
        try {
            run = pool.allocateRun(count);
        } catch (OpenClFailedException refused) {
            return;
        }
        assertThat(run != null).as(where + ", count=" + count + ", largest=" + largest).isEqualTo(count <= largest);
        if (run != null) {
            assertThat(run.count()).as(where).isEqualTo(count);
            assertThat(used.get(run.first(), run.end()).isEmpty()).as(where + ", " + run).isTrue();
            assertThat(memory.isContiguous(run.first(), run.end() - 1)).as(where).isTrue();
            assertThat(memory.offsetOf(run.end() - 1) - memory.offsetOf(run.first())).as(where)
                    .isEqualTo((count - 1) * (long) PAGE);
            used.set(run.first(), run.end());
        }
    }

    /// Frees some frames from a used one on, as far as they are used.
    private static void free(FrameMemory memory, FramePool pool, BitSet used, Random random) {
        int first = used.nextSetBit(random.nextInt(used.length()));
        int count = 1;
        int wanted = 1 + random.nextInt(8);
        while (count < wanted && used.get(first + count)) {
            count++;
        }
        if (random.nextInt(3) == 0 && memory.isContiguous(first, first + count - 1)) {
            memory.slice(first, 0, count * (long) PAGE);
        }
        pool.free(first, count);
        used.clear(first, first + count);
    }

    /// The longest stretch of frame numbers that are free and either in one partly used chunk, or without memory that
    /// somebody uses.
    private static int largestByHand(FrameMemory memory, BitSet used, int capacity, int maxRun) {
        DeviceMemory[] chunk = new DeviceMemory[capacity];
        for (int frame = 0; frame < capacity; frame++) {
            try {
                chunk[frame] = memory.memoryOf(frame);
            } catch (IllegalArgumentException none) {
                chunk[frame] = null;
            }
        }
        Set<DeviceMemory> partlyUsed = used.stream().mapToObj(frame -> chunk[frame]).collect(Collectors.toSet());
        int largest = 0;
        int length = 0;
        Object before = null;
        for (int frame = 0; frame < capacity; frame++) {
            DeviceMemory mine = chunk[frame];
            boolean partly = mine != null && partlyUsed.contains(mine);
            Object label = used.get(frame) ? null : partly ? mine : "reclaimable";
            length = label == null ? 0 : label == before ? length + 1 : 1;
            before = label;
            largest = Math.max(largest, Math.min(length, maxRun));
        }
        return largest;
    }
}
