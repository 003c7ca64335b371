package io.github.hmm4j.demos.stream;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;

/// What goes in, what has to come out, and what is done in between: `FACTOR * in + SUMMAND`. All of it is whole numbers that floats hold without loss.
final class Numbers {
    static final float FACTOR = 2;
    static final float SUMMAND = 1;
    private static final int LARGEST = 1 << 20;

    private Numbers() {}

    static void fill(MemorySegment in) {
        long count = in.byteSize() / Float.BYTES;
        for (long i = 0; i < count; i++) {
            in.setAtIndex(JAVA_FLOAT, i, (float) (i % LARGEST));
        }
    }

    static float expected(long index) {
        return FACTOR * (float) (index % LARGEST) + SUMMAND;
    }

    /// The first element that is not what it should be; -1 if all are right.
    static long firstError(MemorySegment out) {
        long count = out.byteSize() / Float.BYTES;
        for (long i = 0; i < count; i++) {
            if (out.getAtIndex(JAVA_FLOAT, i) != expected(i)) {
                return i;
            }
        }
        return -1;
    }
}
