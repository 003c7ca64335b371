package io.github.hmm4j.demos.svm.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.hmm4j.demos.svm.Estimate;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StatisticsTest {
    /// Ranks from tables of the binomial distribution with p = 1/2.
    @ParameterizedTest
    @CsvSource({"6, 1, 6, 0.96875", "8, 1, 8, 0.9921875", "9, 2, 8, 0.9609375", "12, 3, 10, 0.96142578125", "15, 4, 12, 0.96484375", "20, 6, 15, 0.9586105346679688"})
    void theIntervalIsThatOfOrderStatistics(int n, double low, double high, double confidence) {
        Estimate estimate = Statistics.of(IntStream.rangeClosed(1, n).asDoubleStream().toArray());
        assertThat(estimate.low()).isEqualTo(low);
        assertThat(estimate.high()).isEqualTo(high);
        assertThat(estimate.confidence()).isCloseTo(confidence, within(1e-12));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5})
    void tooFewMeasurementsGiveNoConfidence(int n) {
        double[] samples = IntStream.rangeClosed(1, n).asDoubleStream().toArray();
        assertThat(Statistics.of(samples).confidence()).isZero();
        assertThat(Statistics.halfWidth(samples)).isInfinite();
    }

    @Test
    void orderDoesNotMatter() {
        Estimate estimate = Statistics.of(new double[] {5, 1, 9, 3, 7, 2});
        assertThat(estimate).isEqualTo(new Estimate(4, 1, 9, 0.96875, 1, 2, 9, 9, (7 - 2) / 4.0, 6));
    }

    /// Whatever the distribution: of skewed samples, too, at least so many intervals hold the true median.
    @ParameterizedTest
    @ValueSource(ints = {6, 11, 15, 51})
    void theIntervalHoldsTheMedianAsOftenAsItSays(int n) {
        SplittableRandom random = new SplittableRandom(42);
        int trials = 4000;
        int held = 0;
        for (int trial = 0; trial < trials; trial++) {
            double[] samples = IntStream.range(0, n).mapToDouble(_ -> -Math.log(1 - random.nextDouble())).toArray();
            Estimate estimate = Statistics.of(samples);
            held += estimate.low() <= Math.log(2) && Math.log(2) <= estimate.high() ? 1 : 0;
        }
        assertThat((double) held / trials).isGreaterThan(0.94); // 0.95 or more, and the luck of 4,000 trials
    }
}
