package io.github.hmm4j.demos.report;

import java.util.Locale;

/// Numbers as people read them, always with a point and three digits or so.
public final class Units {
    private static final String[] BYTE_UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

    private Units() {}

    /// `0 B`, `1023 B`, `64.0 KiB`, `1.50 GiB`.
    public static String bytes(long bytes) {
        double value = bytes;
        int unit = 0;
        while (Math.abs(value) >= 1024 && unit < BYTE_UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        return (unit == 0 ? Long.toString(bytes) : decimal(value)) + " " + BYTE_UNITS[unit];
    }

    /// `850 ns`, `12.3 us`, `4.56 ms`, `1.23 s`.
    public static String nanos(long nanos) {
        if (nanos < 1_000) {
            return nanos + " ns";
        }
        if (nanos < 1_000_000) {
            return decimal(nanos / 1e3) + " us";
        }
        return nanos < 1_000_000_000 ? decimal(nanos / 1e6) + " ms" : decimal(nanos / 1e9) + " s";
    }

    /// Three significant digits, all digits before the point: `0.00123`, `1.23`, `12.3`, `1234`; very large or very
    /// small ones as `1.23e+08`.
    public static String decimal(double value) {
        if (value == 0 || !Double.isFinite(value)) {
            return value == 0 ? "0" : Double.toString(value);
        }
        double size = Math.abs(value);
        if (size >= 1e7 || size < 1e-4) {
            return String.format(Locale.ROOT, "%.2e", value);
        }
        int digitsBefore = (int) Math.floor(Math.log10(size)) + 1;
        return String.format(Locale.ROOT, "%." + Math.clamp(3L - digitsBefore, 0, 7) + "f", value);
    }

    /// `266,052`.
    public static String count(long count) {
        return String.format(Locale.ROOT, "%,d", count);
    }
}
