package io.github.hmm4j.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A Java number becomes an OpenCL value without loss or not at all.
class ScalarTypeTest {

    private static void takes(ScalarType type, Number number, long bits) {
        assertThat(type.bitsOf(number)).as("%s from %s", type, number).isPresent();
        long mask = -1L >>> (Long.SIZE - type.bytes() * Byte.SIZE);
        assertThat(type.bitsOf(number).getAsLong() & mask).as("%s from %s", type, number).isEqualTo(bits & mask);
    }

    private static void refuses(ScalarType type, Number... numbers) {
        for (Number number : numbers) {
            assertThat(type.bitsOf(number)).as("%s from %s of %s", type, number, number.getClass()).isEqualTo(OptionalLong.empty());
        }
    }

    @Test
    void numbersAreConverted() {
        takes(ScalarType.FLOAT, 2, Float.floatToRawIntBits(2f));
        takes(ScalarType.INT, 2f, 2);
        takes(ScalarType.ULONG, 5d, 5);
        takes(ScalarType.DOUBLE, 0.1f, Double.doubleToRawLongBits(0.1f));
        takes(ScalarType.HALF, 1.5, 0x3e00);
        takes(ScalarType.HALF, -65504, 0xfbff);
        takes(ScalarType.CHAR, -128L, -128);
        takes(ScalarType.UCHAR, 255, 255);
        takes(ScalarType.USHORT, 65535.0, 65535);
        takes(ScalarType.LONG, -0x1p63, Long.MIN_VALUE);
        takes(ScalarType.ULONG, 0x1p63, Long.MIN_VALUE);
        takes(ScalarType.ULONG, 0x1.fffffffffffffp63, -2048);
        takes(ScalarType.DOUBLE, Long.MIN_VALUE, Double.doubleToRawLongBits(-0x1p63));
        takes(ScalarType.FLOAT, 16777216, Float.floatToRawIntBits(16777216f));
    }

    @Test
    void whatIsNoNumberStaysSo() {
        takes(ScalarType.FLOAT, Double.NaN, Float.floatToRawIntBits(Float.NaN));
        takes(ScalarType.DOUBLE, Float.NaN, Double.doubleToRawLongBits(Double.NaN));
        takes(ScalarType.HALF, Float.NaN, 0x7e00);
        takes(ScalarType.FLOAT, Double.NEGATIVE_INFINITY, Float.floatToRawIntBits(Float.NEGATIVE_INFINITY));
        takes(ScalarType.FLOAT, -0.0, Float.floatToRawIntBits(-0f));
        refuses(ScalarType.INT, Float.NaN, Float.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY);
        refuses(ScalarType.ULONG, Double.NaN, Double.POSITIVE_INFINITY);
    }

    @Test
    void lossIsRefused() {
        refuses(ScalarType.INT, 2.5f, 1L << 33, 0xFFFF_FFFFL, 0x1p31);
        refuses(ScalarType.FLOAT, 16777217, 0.1, 1e300, Long.MAX_VALUE, Double.MIN_VALUE);
        refuses(ScalarType.DOUBLE, Long.MAX_VALUE, (1L << 53) + 1);
        refuses(ScalarType.HALF, 2049, 65520, 0.1f);
        refuses(ScalarType.CHAR, 128, (short) -129);
        refuses(ScalarType.UCHAR, 256, 255.5);
        refuses(ScalarType.LONG, 0x1p63);
        refuses(ScalarType.ULONG, 0x1p64);
    }

    @Test
    void anUnsignedTypeTakesTheBitsOfItsOwnWidthOnly() {
        takes(ScalarType.UINT, -1, -1);
        takes(ScalarType.ULONG, -1L, -1);
        takes(ScalarType.UCHAR, (byte) -1, 255);
        takes(ScalarType.USHORT, (short) -2, 65534);
        refuses(ScalarType.UINT, -1L, (short) -1, -1f);
        refuses(ScalarType.ULONG, -1, -1d);
        refuses(ScalarType.UCHAR, -1);
    }

    @Test
    void otherNumbersAreNone() {
        assertThatIllegalArgumentException().isThrownBy(() -> ScalarType.INT.bitsOf(BigInteger.ONE)).withMessageContaining("java.math.BigInteger");
    }

    /// Whatever is taken has the value that it had, told by arithmetic of any precision.
    @ParameterizedTest
    @EnumSource
    void whatIsTakenIsTheSameNumber(ScalarType type) {
        SplittableRandom random = new SplittableRandom(7);
        int taken = 0;
        for (int i = 0; i < 20_000; i++) {
            long bits = random.nextLong() >> random.nextInt(64);
            double real = random.nextBoolean() ? bits * Math.scalb(1.0, -random.nextInt(4)) : Math.scalb((double) bits, random.nextInt(40));
            for (Number number : List.<Number>of(bits, (int) bits, (short) bits, (byte) bits, real, (float) real)) {
                OptionalLong made = type.bitsOf(number);
                if (made.isPresent()) {
                    taken++;
                    BigDecimal value = valueOf(type, made.getAsLong());
                    BigDecimal asked = new BigDecimal(number.toString()).signum() < 0 && isUnsigned(type) ? unsigned(number) : exactly(number);
                    assertThat(value).as("%s from %s of %s", type, number, number.getClass()).isEqualByComparingTo(asked);
                }
            }
        }
        assertThat(taken).isGreaterThan(1000);
    }

    private static boolean isUnsigned(ScalarType type) {
        return type.toString().startsWith("u");
    }

    private static BigDecimal exactly(Number number) {
        return number instanceof Double || number instanceof Float ? new BigDecimal(number.doubleValue()) : BigDecimal.valueOf(number.longValue());
    }

    private static BigDecimal unsigned(Number number) {
        return exactly(number).add(new BigDecimal(BigInteger.ONE.shiftLeft(ScalarType.of(number).bytes() * Byte.SIZE)));
    }

    /// What an OpenCL program sees in these bits.
    private static BigDecimal valueOf(ScalarType type, long bits) {
        return switch (type) {
            case CHAR -> BigDecimal.valueOf((byte) bits);
            case UCHAR -> BigDecimal.valueOf(bits & 0xff);
            case SHORT -> BigDecimal.valueOf((short) bits);
            case USHORT -> BigDecimal.valueOf(bits & 0xffff);
            case INT -> BigDecimal.valueOf((int) bits);
            case UINT -> BigDecimal.valueOf(bits & 0xffff_ffffL);
            case LONG -> BigDecimal.valueOf(bits);
            case ULONG -> new BigDecimal(Long.toUnsignedString(bits));
            case HALF -> new BigDecimal(Float.float16ToFloat((short) bits));
            case FLOAT -> new BigDecimal(Float.intBitsToFloat((int) bits));
            case DOUBLE -> new BigDecimal(Double.longBitsToDouble(bits));
        };
    }

    @Test
    void namesOfTypesInTheirSpellings() {
        assertThat(ValueType.of("uint")).contains(new ValueType(ScalarType.UINT, 1)).isEqualTo(ValueType.of("unsigned int")).isEqualTo(ValueType.of("unsigned"));
        assertThat(ValueType.of("const  unsigned long")).contains(new ValueType(ScalarType.ULONG, 1));
        assertThat(ValueType.of("short int")).contains(new ValueType(ScalarType.SHORT, 1));
        assertThat(ValueType.of("uchar16")).contains(new ValueType(ScalarType.UCHAR, 16));
        assertThat(ValueType.of("float3").orElseThrow().bytes()).isEqualTo(16);
        assertThat(ValueType.of("half8").orElseThrow().bytes()).isEqualTo(16);
        assertThat(List.of("float*", "struct int2", "float5", "real", "bool", "size_t", "image2d_t", "enum E", "")).allMatch(name -> ValueType.of(name).isEmpty());
    }
}
