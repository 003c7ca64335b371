package io.github.hmm4j.demos.gather;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;

/// A table of which every element is known without looking, and some of its rows.
final class Rows {
    static final int WIDTH = 1024;
    static final long ROW_BYTES = (long) WIDTH * Float.BYTES;
    private static final int LARGEST = 16_777_213; // a prime that floats hold without loss

    private final int tableRows;
    private final int[] chosen;

    /// @param tableRows of [#WIDTH] floats
    /// @param chosen    rows in the order in which they are asked for; one may be asked for twice
    private Rows(int tableRows, int[] chosen) {
        this.tableRows = tableRows;
        this.chosen = chosen;
    }

    static Rows random(int tableRows, int count, long seed) {
        return new Rows(tableRows, new SplittableRandom(seed).ints(count, 0, tableRows).toArray());
    }

    int[] chosen() {
        return chosen.clone();
    }

    int count() {
        return chosen.length;
    }

    long tableBytes() {
        return tableRows * ROW_BYTES;
    }

    long gatheredBytes() {
        return chosen.length * ROW_BYTES;
    }

    /// What a program copies that copies nothing in vain: each row once.
    long leastBytesToDevice() {
        return Arrays.stream(chosen).distinct().count() * ROW_BYTES + (long) chosen.length * Integer.BYTES;
    }

    private static float element(long index) {
        return (float) (index * 31 % LARGEST);
    }

    static void fill(MemorySegment table) {
        long count = table.byteSize() / Float.BYTES;
        for (long i = 0; i < count; i++) {
            table.setAtIndex(JAVA_FLOAT, i, element(i));
        }
    }

    /// The first element that is not what it should be; -1 if all are right.
    int firstError(MemorySegment gathered) {
        for (int i = 0; i < chosen.length * WIDTH; i++) {
            if (gathered.getAtIndex(JAVA_FLOAT, i) != expected(i)) {
                return i;
            }
        }
        return -1;
    }

    float expected(int index) {
        return element((long) chosen[index / WIDTH] * WIDTH + index % WIDTH);
    }
}
