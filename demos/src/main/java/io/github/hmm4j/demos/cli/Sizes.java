package io.github.hmm4j.demos.cli;

import java.math.BigDecimal;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.TypeConversionException;

/// Sizes as people type them: `65536`, `64K`, `64KiB`, `2MiB`, `1.5G`; all units are powers of 1024.
final class Sizes {
    private static final Pattern SIZE = Pattern.compile("(\\d{1,19}(?:\\.\\d{1,9})?) ?(?:([KMGT])(?:IB)?|B)?");
    private static final String UNITS = "KMGT";

    private Sizes() {}

    /// The number of bytes.
    ///
    /// @throws TypeConversionException if that is no size, not a whole number of bytes, or more than a long holds
    static long parse(String text) {
        Matcher size = SIZE.matcher(text.strip().toUpperCase(Locale.ROOT));
        if (!size.matches()) {
            throw new TypeConversionException("'" + text + "' is not a size such as 65536, 64K, 2MiB or 1.5G");
        }
        String unit = size.group(2);
        int shift = unit == null ? 0 : 10 * (UNITS.indexOf(unit) + 1);
        try {
            return new BigDecimal(size.group(1)).multiply(BigDecimal.valueOf(1L << shift)).longValueExact();
        } catch (ArithmeticException _) {
            throw new TypeConversionException("'" + text + "' is not a whole number of bytes below 2^63");
        }
    }
}
