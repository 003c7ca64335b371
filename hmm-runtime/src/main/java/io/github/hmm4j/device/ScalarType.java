package io.github.hmm4j.device;

import java.util.Locale;
import java.util.Objects;
import java.util.OptionalLong;

/// The scalar types of OpenCL C that a kernel's parameter may have, and how a Java number becomes one of them: **without loss or not at all**.
public enum ScalarType {
    CHAR(Byte.SIZE, Kind.SIGNED),
    UCHAR(Byte.SIZE, Kind.UNSIGNED),
    SHORT(Short.SIZE, Kind.SIGNED),
    USHORT(Short.SIZE, Kind.UNSIGNED),
    INT(Integer.SIZE, Kind.SIGNED),
    UINT(Integer.SIZE, Kind.UNSIGNED),
    LONG(Long.SIZE, Kind.SIGNED),
    ULONG(Long.SIZE, Kind.UNSIGNED),
    HALF(Short.SIZE, Kind.FLOATING),
    FLOAT(Float.SIZE, Kind.FLOATING),
    DOUBLE(Double.SIZE, Kind.FLOATING);

    private enum Kind { SIGNED, UNSIGNED, FLOATING }

    private static final int DOUBLE_PRECISION = 53;

    private final int bits;
    private final Kind kind;

    ScalarType(int bits, Kind kind) {
        this.bits = bits;
        this.kind = kind;
    }

    public int bytes() {
        return bits / Byte.SIZE;
    }

    /// Whether there is a type that has all values of a Java number's class.
    public static boolean has(Number number) {
        return number instanceof Byte || number instanceof Short || number instanceof Integer || number instanceof Long
                || number instanceof Float || number instanceof Double;
    }

    /// The type that has all values of a Java number's class.
    ///
    /// @throws IllegalArgumentException if none has
    public static ScalarType of(Number number) {
        return switch (Objects.requireNonNull(number, "number")) {
            case Byte _ -> CHAR;
            case Short _ -> SHORT;
            case Integer _ -> INT;
            case Long _ -> LONG;
            case Float _ -> FLOAT;
            case Double _ -> DOUBLE;
            default -> throw new IllegalArgumentException("value=" + number + " of " + number.getClass().getName() + " has no OpenCL type");
        };
    }

    /// The bits of a number in this type, or empty if this type has no such value.
    ///
    /// Java has no unsigned numbers. So an unsigned type also takes the bits of the Java type of its own width: `-1` becomes the largest `uint`, `-1L` the largest `ulong`; but
    /// no `ulong` is `-1`, of which nobody can say which bits were meant.
    public OptionalLong bitsOf(Number number) {
        ScalarType from = of(number);
        if (from.kind == Kind.FLOATING) {
            return ofFloating(number.doubleValue());
        }
        long value = number.longValue();
        if (kind == Kind.FLOATING) {
            return precision(value) <= DOUBLE_PRECISION ? ofFloating((double) value) : OptionalLong.empty();
        }
        boolean fits = kind == Kind.SIGNED
                ? value >= (-1L << (bits - 1)) && value <= ~(-1L << (bits - 1))
                : from.bits == bits || (value >= 0 && (bits == Long.SIZE || value >>> bits == 0));
        return fits ? OptionalLong.of(value) : OptionalLong.empty();
    }

    private OptionalLong ofFloating(double value) {
        if (kind != Kind.FLOATING) {
            return isWithin(value) ? OptionalLong.of(integer(value)) : OptionalLong.empty();
        }
        float narrow = (float) value;
        short half = Float.floatToFloat16(narrow);
        double kept = this == DOUBLE ? value : this == FLOAT ? narrow : Float.float16ToFloat(half);
        if (kept != value && !Double.isNaN(value)) {
            return OptionalLong.empty();
        }
        return OptionalLong.of(this == DOUBLE ? Double.doubleToRawLongBits(value) : this == FLOAT ? Float.floatToRawIntBits(narrow) : half);
    }

    private boolean isWithin(double value) {
        double end = Math.scalb(1.0, kind == Kind.SIGNED ? bits - 1 : bits);
        return value == Math.rint(value) && value < end && value >= (kind == Kind.SIGNED ? -end : 0);
    }

    /// A cast stops at the largest `long`, beyond which half of all `ulong` lie.
    private static long integer(double value) {
        double half = Math.scalb(1.0, Long.SIZE - 1);
        return value < half ? (long) value : (long) (value - half) + Long.MIN_VALUE;
    }

    /// Bits from the first to the last that is set: what a floating type must hold to hold the value.
    private static int precision(long value) {
        return value == 0 ? 0 : Long.SIZE - Long.numberOfLeadingZeros(Math.abs(value)) - Long.numberOfTrailingZeros(value);
    }

    /// Its name in OpenCL C.
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
