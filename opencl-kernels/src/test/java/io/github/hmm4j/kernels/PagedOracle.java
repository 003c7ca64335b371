package io.github.hmm4j.kernels;

import java.util.Map;

/// What the kernels of paged.cl compute, over whole Java arrays: nothing is ever missing here.
final class PagedOracle {

    private PagedOracle() {}

    static float[] gathered(float[] table, int[] rows, int width) {
        float[] out = new float[rows.length * width];
        for (int r = 0; r < rows.length; r++) {
            for (int i = 0; i < width; i++) {
                out[r * width + i] = table[rows[r] * width + i];
            }
        }
        return out;
    }

    static float[] scaled(float[] in, float a, float b) {
        float[] out = new float[in.length];
        for (int i = 0; i < in.length; i++) {
            out[i] = a * in[i] + b;
        }
        return out;
    }

    /// @param rows {key, amount} one behind the other
    static long[] joined(int[] rows, Map<Integer, Integer> values, int chunk) {
        int count = rows.length / 2;
        long[] sums = new long[Math.ceilDiv(count, chunk)];
        for (int i = 0; i < count; i++) {
            sums[i / chunk] += (long) rows[2 * i + 1] * values.getOrDefault(rows[2 * i], 0);
        }
        return sums;
    }

    static int[] levelled(long[] row, int[] col, int[] depth, int level) {
        int[] after = depth.clone();
        for (int u = 0; u < depth.length; u++) {
            for (long e = row[u]; depth[u] == level && e < row[u + 1]; e++) {
                if (depth[col[(int) e]] == -1) {
                    after[col[(int) e]] = level + 1;
                }
            }
        }
        return after;
    }

    static int[] counted(int[] values, int[] counts) {
        int[] after = counts.clone();
        for (int value : values) {
            after[value]++;
        }
        return after;
    }

    static long[] summed(int[] values, int groupSize, long[] sums) {
        long[] after = sums.clone();
        for (int i = 0; i < values.length; i++) {
            after[i / groupSize] += values[i];
        }
        return after;
    }

    static long[] listSums(long[][] lists) {
        long[] sums = new long[lists.length];
        for (int l = 0; l < lists.length; l++) {
            for (long value : lists[l]) {
                sums[l] += value;
            }
        }
        return sums;
    }
}
