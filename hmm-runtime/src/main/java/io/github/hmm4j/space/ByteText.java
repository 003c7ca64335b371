package io.github.hmm4j.space;

import java.util.Locale;

/// Counts of bytes as people read them: `17 B`, `4 KiB`, `1.5 GiB`; a whole number of a unit without a fraction, else with one digit.
public final class ByteText {

    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    private static final int UNIT_SHIFT = 10;
    private static final double NEXT_UNIT = 1023.95; // what would be rounded to 1024.0

    private ByteText() {}

    /// @param bytes not negative
    public static String of(long bytes) {
        int unit = 0;
        double value = bytes;
        while (value >= NEXT_UNIT && unit < UNITS.length - 1) {
            value /= 1 << UNIT_SHIFT;
            unit++;
        }
        int shift = unit * UNIT_SHIFT;
        return (bytes >> shift) << shift == bytes ? (bytes >> shift) + " " + UNITS[unit] : String.format(Locale.ROOT, "%.1f %s", value, UNITS[unit]);
    }
}
