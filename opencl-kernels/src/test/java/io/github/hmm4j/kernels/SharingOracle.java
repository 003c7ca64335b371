package io.github.hmm4j.kernels;

/// What the kernels of sharing.cl compute, in plain Java.
final class SharingOracle {

    static final int PAGE_WORDS = 512;

    private SharingOracle() {}

    static long step(long word) {
        return word * 6364136223846793005L + 1442695040888963407L;
    }

    static long sum(long[] words, int from, int count, int apart) {
        long sum = 0;
        for (int i = from; i < from + count; i += apart) {
            sum += words[i];
        }
        return sum;
    }

    static long end(long[] chain, int start, int steps) {
        long at = start;
        for (int i = 0; i < steps; i++) {
            at = chain[(int) at * 8];
        }
        return at;
    }
}
