package io.github.hmm4j.mirror;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What native code does with the same tables: `extents_test.c`.
class ExtentTableTest {

    private static final int BLOCK_SHIFT = 4;
    private static final int BLOCK = 1 << BLOCK_SHIFT;
    private static final int COUNT = 4 * BLOCK - 3;

    /// Runs of entries that are set and cleared in order, from either end, and now and then one that does not fit.
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void numbersAreWhatWasSet(int step) {
        SplittableRandom random = new SplittableRandom(11);
        int[] expected = new int[COUNT];
        int whole = 0;
        try (ExtentTable table = new ExtentTable(COUNT, step, BLOCK_SHIFT)) {
            for (int i = 0; i < 50_000; i++) {
                int first = random.nextInt(COUNT);
                int count = 1 + random.nextInt(COUNT - first);
                int base = random.nextInt(4) == 0 ? Integer.MAX_VALUE - COUNT : 5;
                boolean clears = random.nextBoolean();
                boolean backwards = random.nextBoolean();
                for (int k = 0; k < count; k++) {
                    int index = backwards ? first + count - 1 - k : first + k;
                    expected[index] = clears ? 0 : random.nextInt(64) == 0 ? 1 : base + step * index;
                    table.set(index, expected[index]);
                }
                for (int index = 0; index < COUNT; index++) {
                    assertThat(table.get(index)).as("step %d, entry %d", i, index).isEqualTo(expected[index]);
                }
                assertThat(table.isOneExtent(first, first + count)).as("step %d, [%d, %d)", i, first, first + count).isEqualTo(isOneExtent(expected, first, first + count, step));
                whole += isOneExtent(expected, 0, COUNT, step) ? 1 : 0;
            }
        }
        assertThat(whole).as("times when all went on").isPositive();
    }

    private static boolean isOneExtent(int[] numbers, int first, int end, int step) {
        for (int index = first; index < end; index++) {
            if (numbers[index] == 0 || numbers[index] != numbers[first] + step * (index - first)) {
                return false;
            }
        }
        return true;
    }

    @Test
    void numbersThatGoOnTakeNoMemoryOfTheirOwn() {
        try (ExtentTable table = new ExtentTable(COUNT, 1, BLOCK_SHIFT)) {
            for (int index = 0; index < COUNT; index++) {
                table.set(index, 7 + index);
            }
            assertThat(entries(table)).containsOnly(0);
            table.set(BLOCK + 3, 1);
            assertThat(entries(table)).as("in the middle of the second block").containsSequence(7 + BLOCK, 8 + BLOCK, 9 + BLOCK, 1, 11 + BLOCK);
        }
    }

    /// As when a page has got its frame back.
    @Test
    void aBlockThatGoesOnAgainIsAnExtentOnceThatIsSeen() {
        try (ExtentTable table = new ExtentTable(COUNT, 1, BLOCK_SHIFT)) {
            for (int index : new int[] {1, 0}) {
                for (int entry = 0; entry < BLOCK; entry += 2) {
                    table.set(entry + index, 7 + entry + index);
                }
            }
            assertThat(table.isOneExtent(0, BLOCK)).isTrue();
            MemorySegment.ofAddress(table.addresses().entries()).reinterpret(BLOCK * Integer.BYTES).fill((byte) 0); // nobody looks there
            assertThat(table.get(5)).isEqualTo(12);
            assertThat(table.isOneExtent(0, BLOCK)).isTrue();
        }
    }

    /// As the frame of a page that is claimed, while one beside it gets another: it is looked for without a lock.
    @Test
    void aNumberThatStaysIsFoundWhileItsBlockIsScattered() throws InterruptedException {
        int shift = 9;
        int blocks = 4096;
        try (ExtentTable table = new ExtentTable((long) blocks << shift, 1, shift)) {
            for (int index = 0; index < blocks << shift; index++) {
                table.set(index, 7 + index);
            }
            AtomicInteger block = new AtomicInteger();
            AtomicInteger wrong = new AtomicInteger();
            Thread reader = Thread.ofPlatform().start(() -> {
                for (int at = 0; at < blocks; at = block.get()) {
                    int stays = (at << shift) + 500;
                    wrong.addAndGet(table.get(stays) == 7 + stays ? 0 : 1);
                }
            });
            for (int at = 0; at < blocks; at++) {
                block.set(at);
                table.set((at << shift) + 3, 1);
            }
            block.set(blocks);
            reader.join();
            assertThat(wrong).hasValue(0);
        }
    }

    private static int[] entries(ExtentTable table) {
        return MemorySegment.ofAddress(table.addresses().entries()).reinterpret(COUNT * Integer.BYTES).toArray(JAVA_INT);
    }
}
