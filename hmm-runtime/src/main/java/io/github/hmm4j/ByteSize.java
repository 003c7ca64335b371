package io.github.hmm4j;

/// Sizes in bytes by name.
///
/// What a `long` cannot hold is an [IllegalArgumentException].
public final class ByteSize {

    private ByteSize() {}

    public static long kib(long count) {
        return bytes(count, 10, "KiB");
    }

    public static long mib(long count) {
        return bytes(count, 20, "MiB");
    }

    public static long gib(long count) {
        return bytes(count, 30, "GiB");
    }

    public static long tib(long count) {
        return bytes(count, 40, "TiB");
    }

    private static long bytes(long count, int shift, String unit) {
        long bytes = count << shift;
        if (bytes >> shift != count) {
            throw new IllegalArgumentException("count=" + count + " " + unit + " are more bytes than a long can hold");
        }
        return bytes;
    }
}
