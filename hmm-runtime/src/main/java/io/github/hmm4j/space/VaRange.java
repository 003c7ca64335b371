package io.github.hmm4j.space;

import java.util.Locale;

/// Virtual addresses `[startBytes, endBytes)`.
public record VaRange(long startBytes, long endBytes) {

    public VaRange {
        if (startBytes < 0 || endBytes < startBytes) {
            throw new IllegalArgumentException(
                    String.format(Locale.ROOT, "startBytes=0x%x, endBytes=0x%x, must be 0 <= start <= end",
                            startBytes, endBytes));
        }
    }

    public static VaRange ofLength(long startBytes, long lengthBytes) {
        if (lengthBytes < 0 || startBytes > Long.MAX_VALUE - lengthBytes) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "startBytes=0x%x, lengthBytes=%d, must end below 2^63",
                    startBytes, lengthBytes));
        }
        return new VaRange(startBytes, startBytes + lengthBytes);
    }

    public long lengthBytes() {
        return endBytes - startBytes;
    }

    public boolean contains(VaRange other) {
        return other.startBytes >= startBytes && other.endBytes <= endBytes;
    }

    public boolean overlaps(VaRange other) {
        return startBytes < other.endBytes && other.startBytes < endBytes;
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "[0x%x, 0x%x)", startBytes, endBytes);
    }
}
