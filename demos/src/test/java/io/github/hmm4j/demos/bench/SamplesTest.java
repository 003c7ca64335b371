package io.github.hmm4j.demos.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.demos.harness.BenchRow.Spread;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SamplesTest {
    @Test
    void theMedianIsTheMiddleOneOrBetweenTheTwo() {
        assertThat(samples(9, 1, 5).median()).isEqualTo(5);
        assertThat(samples(9, 1, 5, 6).median()).isEqualTo(5.5);
    }

    @Test
    void aTenthIsOutsideOnEitherSide() {
        assertThat(samples(IntStream.range(0, 100).toArray()).spread()).isEqualTo(new Spread(0, 10, 89, 99, 100));
    }

    @Test
    void aPercentileIsOneOfThem() {
        Samples hundred = Samples.of(IntStream.range(0, 101).mapToLong(i -> 100 - i).toArray());
        assertThat(hundred.percentile(0)).isEqualTo(0);
        assertThat(hundred.percentile(99)).isEqualTo(99);
        assertThat(samples(3, 1, 2).percentile(99)).isEqualTo(2);
        assertThat(samples(3, 1, 2).percentile(100)).isEqualTo(3);
    }

    @Test
    void neighboursAreDividedByEachOther() {
        assertThat(samples(2, 30).over(samples(1, 10)).spread()).isEqualTo(new Spread(2, 2, 3, 3, 2));
        assertThatThrownBy(() -> samples(1).over(samples(1, 2))).hasMessage("size=1, baselineSize=2");
    }

    @Test
    void nothingHasNoMedian() {
        assertThatThrownBy(() -> new Samples().median()).hasMessage("nothing was measured");
    }

    private static Samples samples(int... values) {
        Samples samples = new Samples();
        for (int value : values) {
            samples.add(value);
        }
        return samples;
    }
}
