package io.github.hmm4j.demos.unmodified;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/// Numbers as an instrument writes them: each differs a little from the one before.
public final class Readings {
    private static final float START = 20;
    private static final float STEP = 1 / 64f;

    private Readings() {}

    /// Fills `values` with floats; the same seed gives the same numbers.
    public static void fill(MemorySegment values, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float value = START;
        for (long i = 0; i < values.byteSize() / Float.BYTES; i++) {
            value += (random.nextInt(9) - 4) * STEP;
            values.setAtIndex(JAVA_FLOAT, i, value);
        }
    }
}
