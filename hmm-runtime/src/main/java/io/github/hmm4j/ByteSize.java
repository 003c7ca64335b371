package io.github.hmm4j;

/// Sizes in bytes by name.
public final class ByteSize {

    private ByteSize() {}

    public static long kib(long count) {
        return Math.multiplyExact(count, 1L << 10);
    }

    public static long mib(long count) {
        return Math.multiplyExact(count, 1L << 20);
    }

    public static long gib(long count) {
        return Math.multiplyExact(count, 1L << 30);
    }

    public static long tib(long count) {
        return Math.multiplyExact(count, 1L << 40);
    }
}
