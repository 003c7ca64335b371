package io.github.hmm4j.kernels;

import java.util.Arrays;
import java.util.stream.IntStream;

/// What the kernels of access.cl compute, in plain Java.
final class AccessOracle {

    private AccessOracle() {}

    static int[] ramp(int start, int step, int n) {
        return IntStream.range(0, n).map(i -> start + step * i).toArray();
    }

    static int[] added(int[] values, int delta) {
        return Arrays.stream(values).map(v -> v + delta).toArray();
    }

    static long sum(int[] values) {
        return Arrays.stream(values).asLongStream().sum();
    }

    static byte[] touched(byte[] bytes, int stride, int count, byte add) {
        byte[] touched = bytes.clone();
        for (int i = 0; i < count; i++) {
            touched[i * stride] += add;
        }
        return touched;
    }
}
