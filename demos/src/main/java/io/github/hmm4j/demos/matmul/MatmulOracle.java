package io.github.hmm4j.demos.matmul;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.stream.IntStream;

/// The product of two square matrices in double precision, and the check of a float result against it.
///
/// Tolerance: every element may be off by `n * 2^-22`. Entries lie in [-1, 1), so adding n products one after the other
/// in floats goes wrong by about `n * 2^-26` (root mean square; blocked sums by less): the tolerance is some sixteen
/// times that, and far below the 0.3 by which one missing, doubled or stale product shows.
///
/// All matrices are row-major, `n * n` floats. Threads: uses the common pool.
public final class MatmulOracle {
    private static final int BLOCK_ROWS = 4;
    private static final int BLOCK_DEPTH = 64;
    private static final int BLOCK_COLUMNS = 512;

    private final int n;
    private final double[] product;

    private MatmulOracle(int n, double[] product) {
        this.n = n;
        this.product = product;
    }

    /// What a check found.
    ///
    /// @param ok no element is off by more than `tolerance`
    /// @param maxError the largest deviation, NaN if an element is NaN
    /// @param row of the worst element
    /// @param column of the worst element
    public record Check(boolean ok, double maxError, double tolerance, int row, int column) {}

    /// Multiplies `a` by `b`.
    ///
    /// @throws IllegalArgumentException if a matrix has another size than `n * n` floats
    public static MatmulOracle multiply(MemorySegment a, MemorySegment b, int n) {
        double[] left = doubles("a", a, n);
        double[] right = doubles("b", b, n);
        double[] product = new double[left.length];
        IntStream.range(0, (n + BLOCK_ROWS - 1) / BLOCK_ROWS).parallel()
            .forEach(block -> multiplyRows(left, right, product, n, block * BLOCK_ROWS));
        return new MatmulOracle(n, product);
    }

    private static double[] doubles(String name, MemorySegment matrix, int n) {
        requireSize(name, matrix, n);
        double[] values = new double[Math.multiplyExact(n, n)];
        for (int i = 0; i < values.length; i++) {
            values[i] = matrix.getAtIndex(JAVA_FLOAT, i);
        }
        return values;
    }

    private static void requireSize(String name, MemorySegment matrix, int n) {
        if (n < 1 || matrix.byteSize() != (long) n * n * Float.BYTES) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "%s.byteSize=%d, n=%d",
                name, matrix.byteSize(), n));
        }
    }

    /// Blocks of `right` stay in the second-level cache while up to four rows of the product are advanced by them.
    private static void multiplyRows(double[] left, double[] right, double[] product, int n, int firstRow) {
        boolean whole = firstRow + BLOCK_ROWS <= n;
        for (int column = 0; column < n; column += BLOCK_COLUMNS) {
            int width = Math.min(BLOCK_COLUMNS, n - column);
            for (int depth = 0; depth < n; depth += BLOCK_DEPTH) {
                int depthEnd = Math.min(n, depth + BLOCK_DEPTH);
                for (int k = depth; k < depthEnd; k++) {
                    if (whole) {
                        addFourRows(left, right, product, n, firstRow, k, column, width);
                    } else {
                        addRows(left, right, product, n, firstRow, k, column, width);
                    }
                }
            }
        }
    }

    private static void addFourRows(double[] left, double[] right, double[] product, int n, int row, int k,
        int column, int width) {
        double a0 = left[row * n + k];
        double a1 = left[(row + 1) * n + k];
        double a2 = left[(row + 2) * n + k];
        double a3 = left[(row + 3) * n + k];
        int from = k * n + column;
        int to = row * n + column;
        for (int j = 0; j < width; j++) {
            double b = right[from + j];
            product[to + j] += a0 * b;
            product[to + n + j] += a1 * b;
            product[to + 2 * n + j] += a2 * b;
            product[to + 3 * n + j] += a3 * b;
        }
    }

    private static void addRows(double[] left, double[] right, double[] product, int n, int firstRow, int k,
        int column, int width) {
        for (int row = firstRow; row < n; row++) {
            double a = left[row * n + k];
            for (int j = 0; j < width; j++) {
                product[row * n + column + j] += a * right[k * n + column + j];
            }
        }
    }

    public static double tolerance(int n) {
        return n * 0x1p-22;
    }

    /// The exact-enough element, for messages.
    public double at(int row, int column) {
        return product[row * n + column];
    }

    /// Compares all elements of `result` with the product.
    ///
    /// @throws IllegalArgumentException if `result` has another size than `n * n` floats
    public Check check(MemorySegment result) {
        requireSize("result", result, n);
        int worst = 0;
        double maxError = 0;
        for (int i = 0; i < product.length && !Double.isNaN(maxError); i++) {
            double error = Math.abs(result.getAtIndex(JAVA_FLOAT, i) - product[i]);
            // Written so that NaN, too, is worse than anything before.
            if (!(error <= maxError)) {
                maxError = error;
                worst = i;
            }
        }
        return new Check(maxError <= tolerance(n), maxError, tolerance(n), worst / n, worst % n);
    }
}
