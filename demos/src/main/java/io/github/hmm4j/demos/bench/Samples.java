package io.github.hmm4j.demos.bench;

import io.github.hmm4j.demos.harness.BenchRow.Spread;
import java.util.Arrays;
import java.util.Objects;

/// Measurements of one thing, in the order in which they were taken. Used by one thread.
final class Samples {
    private double[] values = new double[64];
    private int size;

    static Samples of(long... values) {
        Samples samples = new Samples();
        for (long value : values) {
            samples.add((double) value);
        }
        return samples;
    }

    void add(double value) {
        if (size == values.length) {
            values = Arrays.copyOf(values, size * 2);
        }
        values[size++] = value;
    }

    int size() {
        return size;
    }

    double get(int index) {
        return values[Objects.checkIndex(index, size)];
    }

    double median() {
        double[] sorted = sorted();
        int middle = size / 2;
        return size % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /// Not exceeded by so many of a hundred measurements.
    double percentile(int percent) {
        return sorted()[(int) ((size - 1L) * percent / 100)];
    }

    Spread spread() {
        double[] sorted = sorted();
        return new Spread(sorted[0], sorted[size / 10], sorted[(size - 1) - size / 10], sorted[size - 1], size);
    }

    /// Each measurement divided by the one that was taken beside it.
    Samples over(Samples baseline) {
        Samples ratios = new Samples();
        for (int i = 0; i < requireSameSize(baseline); i++) {
            ratios.add(values[i] / baseline.values[i]);
        }
        return ratios;
    }

    Samples dividedBy(double divisor) {
        Samples quotients = new Samples();
        for (int i = 0; i < size; i++) {
            quotients.add(values[i] / divisor);
        }
        return quotients;
    }

    private int requireSameSize(Samples other) {
        if (size != other.size) {
            throw new IllegalArgumentException("size=" + size + ", baselineSize=" + other.size);
        }
        return size;
    }

    private double[] sorted() {
        if (size == 0) {
            throw new IllegalStateException("nothing was measured");
        }
        double[] sorted = Arrays.copyOf(values, size);
        Arrays.sort(sorted);
        return sorted;
    }
}
