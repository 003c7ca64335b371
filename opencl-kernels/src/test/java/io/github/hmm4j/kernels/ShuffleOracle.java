package io.github.hmm4j.kernels;

/// What the kernels of shuffle.cl compute, in plain Java.
final class ShuffleOracle {

    private ShuffleOracle() {}

    static byte[] shuffled(byte[] values, int size) {
        byte[] planes = new byte[values.length];
        int n = values.length / size;
        for (int at = 0; at < values.length; at++) {
            planes[at % size * n + at / size] = values[at];
        }
        return planes;
    }
}
