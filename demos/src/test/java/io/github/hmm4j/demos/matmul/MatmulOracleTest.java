package io.github.hmm4j.demos.matmul;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MatmulOracleTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 63, 64, 65, 130, 515})
    void multipliesLikeTheDefinition(int n) {
        MemorySegment a = random(n, 1);
        MemorySegment b = random(n, 2);
        MatmulOracle oracle = MatmulOracle.multiply(a, b, n);
        int step = Math.max(1, n / 23);
        for (int row = 0; row < n; row += step) {
            for (int column = n - 1; column >= 0; column -= step) {
                assertThat(oracle.at(row, column)).isCloseTo(dot(a, b, n, row, column), within(1e-12 * n));
            }
        }
    }

    @Test
    void acceptsAPlainFloatSum() {
        int n = 200;
        MemorySegment a = random(n, 3);
        MemorySegment b = random(n, 4);
        MatmulOracle.Check check = MatmulOracle.multiply(a, b, n).check(floatProduct(a, b, n));
        assertThat(check.ok()).isTrue();
        assertThat(check.maxError()).isPositive().isLessThan(check.tolerance() / 2);
    }

    @Test
    void findsOneWrongElementAndSaysWhere() {
        int n = 50;
        MemorySegment a = random(n, 5);
        MemorySegment b = random(n, 6);
        MatmulOracle oracle = MatmulOracle.multiply(a, b, n);
        for (float wrong : new float[] {0.01f, -0.01f, Float.NaN, Float.POSITIVE_INFINITY}) {
            MemorySegment result = floatProduct(a, b, n);
            long place = 17L * n + 31;
            result.setAtIndex(JAVA_FLOAT, place, result.getAtIndex(JAVA_FLOAT, place) + wrong);
            MatmulOracle.Check check = oracle.check(result);
            assertThat(check.ok()).as("%s", wrong).isFalse();
            assertThat(check.row()).isEqualTo(17);
            assertThat(check.column()).isEqualTo(31);
        }
    }

    @Test
    void findsAMissingProduct() {
        int n = 512;
        MemorySegment a = random(n, 7);
        MemorySegment b = random(n, 8);
        MemorySegment result = floatProduct(a, b, n);
        float lost = a.getAtIndex(JAVA_FLOAT, 5) * b.getAtIndex(JAVA_FLOAT, 5L * n);
        result.setAtIndex(JAVA_FLOAT, 0, result.getAtIndex(JAVA_FLOAT, 0) - lost);
        assertThat(Math.abs(lost)).isGreaterThan(0.01f);
        assertThat(MatmulOracle.multiply(a, b, n).check(result).ok()).isFalse();
    }

    @Test
    void fillsTheSameForTheSameSeed() {
        assertThat(random(64, 9).mismatch(random(64, 9))).isEqualTo(-1);
        assertThat(random(64, 9).mismatch(random(64, 10))).isNotEqualTo(-1);
        float[] values = random(64, 9).toArray(JAVA_FLOAT);
        double sum = 0;
        for (float value : values) {
            assertThat(value).isGreaterThanOrEqualTo(-1).isLessThan(1);
            sum += value;
        }
        assertThat(sum / values.length).isCloseTo(0, within(0.05));
    }

    @Test
    void refusesMatricesOfAnotherSize() {
        MemorySegment four = random(2, 1);
        assertThatThrownBy(() -> MatmulOracle.multiply(four, four, 3)).hasMessage("a.byteSize=16, n=3");
        assertThatThrownBy(() -> MatmulOracle.multiply(four, random(3, 1), 2)).hasMessage("b.byteSize=36, n=2");
        assertThatThrownBy(() -> MatmulOracle.multiply(four, four, 2).check(random(3, 1)))
            .isInstanceOf(IllegalArgumentException.class);
    }

    private static MemorySegment random(int n, long seed) {
        MemorySegment matrix = MemorySegment.ofArray(new float[n * n]);
        Matrices.fill(matrix, seed);
        return matrix;
    }

    private static double dot(MemorySegment a, MemorySegment b, int n, int row, int column) {
        double sum = 0;
        for (int k = 0; k < n; k++) {
            double left = a.getAtIndex(JAVA_FLOAT, (long) row * n + k);
            sum += left * b.getAtIndex(JAVA_FLOAT, (long) k * n + column);
        }
        return sum;
    }

    private static MemorySegment floatProduct(MemorySegment a, MemorySegment b, int n) {
        float[] left = a.toArray(JAVA_FLOAT);
        float[] right = b.toArray(JAVA_FLOAT);
        float[] product = new float[n * n];
        for (int row = 0; row < n; row++) {
            for (int column = 0; column < n; column++) {
                float sum = 0;
                for (int k = 0; k < n; k++) {
                    sum += left[row * n + k] * right[k * n + column];
                }
                product[row * n + column] = sum;
            }
        }
        return MemorySegment.ofArray(product);
    }
}
