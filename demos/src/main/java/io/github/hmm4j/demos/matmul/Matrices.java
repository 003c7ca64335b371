package io.github.hmm4j.demos.matmul;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/// Input for the multiplication.
public final class Matrices {
    private Matrices() {}

    /// Fills `matrix` with floats evenly spread over [-1, 1); the same seed gives the same matrix.
    public static void fill(MemorySegment matrix, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        long count = matrix.byteSize() / Float.BYTES;
        for (long i = 0; i < count; i++) {
            // 24 random bits are what a float holds, so nothing is rounded.
            matrix.setAtIndex(JAVA_FLOAT, i, (random.nextInt() >> 8) * 0x1p-23f);
        }
    }
}
