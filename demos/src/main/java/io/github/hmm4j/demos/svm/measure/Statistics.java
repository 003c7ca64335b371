package io.github.hmm4j.demos.svm.measure;

import io.github.hmm4j.demos.svm.Estimate;
import java.util.Arrays;

/// From measurements to an [Estimate].
final class Statistics {
    /// As sure as an interval has to be.
    static final double CONFIDENCE = 0.95;
    /// The fewest measurements between whose extremes the median lies with [#CONFIDENCE].
    static final int FEWEST = 6;

    private Statistics() {}

    /// @param samples in any order, at least one
    static Estimate of(double[] samples) {
        double[] sorted = samples.clone();
        Arrays.sort(sorted);
        int n = sorted.length;
        double median = n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
        int rank = rank(n);
        double quartiles = at(sorted, 0.75) - at(sorted, 0.25);
        return new Estimate(median, sorted[Math.max(0, rank)], sorted[n - 1 - Math.max(0, rank)], rank < 0 ? 0 : confidence(n, rank),
            sorted[0], at(sorted, 0.10), at(sorted, 0.90), sorted[n - 1], median == 0 ? 0 : quartiles / median, n);
    }

    /// How far the interval reaches from the median on its longer side, as a part of the median; infinite if there is no interval yet.
    static double halfWidth(double[] samples) {
        Estimate estimate = of(samples);
        return estimate.confidence() == 0 ? Double.POSITIVE_INFINITY
            : Math.max(estimate.high() - estimate.median(), estimate.median() - estimate.low()) / estimate.median();
    }

    private static double at(double[] sorted, double part) {
        return sorted[(int) Math.round((sorted.length - 1) * part)];
    }

    /// How many measurements may be left out at each end so that the median still lies between the others; -1 if not even none.
    private static int rank(int n) {
        int rank = -1;
        while (2 * (rank + 2) <= n && confidence(n, rank + 1) >= CONFIDENCE) {
            rank++;
        }
        return rank;
    }

    /// That the median lies between the measurements of this rank from below and from above: neither more than `n - 1 - rank` heads nor tails in `n` throws.
    private static double confidence(int n, int rank) {
        double outside = 0;
        double ways = 1; // n over i
        for (int i = 0; i <= rank; i++) {
            outside += ways;
            ways = ways * (n - i) / (i + 1);
        }
        return 1 - 2 * outside / Math.pow(2, n);
    }
}
