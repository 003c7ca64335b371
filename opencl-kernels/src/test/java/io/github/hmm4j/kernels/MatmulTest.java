package io.github.hmm4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class MatmulTest {

    private static final int GUARD = 64;
    private static final float UNTOUCHED = -12345.0f;

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 8, 31, 32, 33, 63, 64, 65, 127, 128, 129})
    void multipliesExactlyAtTheEdgesOfTiles(int n) {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                checkIntegers(cl, "", 8, n, random);
            }
        });
    }

    @Test
    void multipliesRandomSizesOfRandomFloats() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                for (int i = 0; i < 5; i++) {
                    checkFloats(cl, random.nextInt(1, 200), random);
                }
            }
        });
    }

    @Test
    void otherTunablesGiveTheSameResult() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                checkIntegers(cl, "-DHMM_WG_EDGE=4 -DHMM_TILE_K=8", 4, 77, random);
            }
        });
    }

    /// Small integers: every float sum is exact, so that the result must be equal to the bit.
    static void checkIntegers(ClHarness cl, String options, int edge, int n, SplittableRandom random) {
        float[] a = integers(n, random);
        float[] b = integers(n, random);
        float[] r = multiply(cl, options, edge, a, b, n);
        double[] expected = MatmulOracle.multiply(a, b, n);
        for (int i = 0; i < expected.length; i++) {
            assertThat((double) r[i]).as("n=%d, row=%d, column=%d", n, i / n, i % n).isEqualTo(expected[i]);
        }
    }

    private static void checkFloats(ClHarness cl, int n, SplittableRandom random) {
        float[] a = floats(n, random);
        float[] b = floats(n, random);
        float[] r = multiply(cl, "", 8, a, b, n);
        double[] expected = MatmulOracle.multiply(a, b, n);
        double[] tolerance = MatmulOracle.tolerance(a, b, n);
        for (int i = 0; i < expected.length; i++) {
            assertThat((double) r[i]).as("n=%d, row=%d, column=%d", n, i / n, i % n)
                    .isCloseTo(expected[i], within(tolerance[i]));
        }
    }

    private static float[] multiply(ClHarness cl, String options, int edge, float[] a, float[] b, int n) {
        float[] untouched = new float[n * n + GUARD];
        Arrays.fill(untouched, UNTOUCHED);
        ClHarness.Buffer r = cl.floats(untouched);
        long groups = Math.ceilDiv(n, 8 * edge);
        cl.build(Source.resource("matmul.cl"), options).kernel("mul_mat").args(r, cl.floats(a), cl.floats(b), n)
                .run(new long[] {groups * edge, groups * edge}, new long[] {edge, edge});
        float[] result = r.toFloats();
        assertThat(Arrays.copyOfRange(result, n * n, result.length)).as("behind the result").containsOnly(UNTOUCHED);
        return result;
    }

    private static float[] integers(int n, SplittableRandom random) {
        float[] values = new float[n * n];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextInt(-50, 51);
        }
        return values;
    }

    private static float[] floats(int n, SplittableRandom random) {
        float[] values = new float[n * n];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextDouble(-1, 1) * (1 << random.nextInt(10));
        }
        return values;
    }
}
