package io.github.hmm4j.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LeastRecentlyUsedTest {

    private final EvictionPolicy policy = new LeastRecentlyUsed();

    @Test
    void cheapestGoesFirstThenOldestThenInOrderOfFrames() {
        Candidates candidates = new Candidates();
        candidates.add(10, 5, Candidates.Cost.DIRTY);
        candidates.add(11, 1, Candidates.Cost.CLEAN);
        candidates.add(12, 9, Candidates.Cost.DIRTY);
        candidates.add(13, 0, Candidates.Cost.RESERVED);
        candidates.add(14, 5, Candidates.Cost.DIRTY);
        assertThat(policy.victims(candidates, 5)).containsExactly(3, 1, 2, 0, 4);
        assertThat(policy.victims(candidates, 2)).containsExactly(3, 1);
        assertThat(policy.victims(candidates, 99)).hasSize(5);
        assertThat(policy.victims(new Candidates(), 3)).isEmpty();
    }

    @Test
    void agesAtTheirLimitsDoNotSpillIntoTheCost() {
        Candidates candidates = new Candidates();
        candidates.add(0, Integer.MAX_VALUE, Candidates.Cost.DIRTY);
        candidates.add(1, Integer.MIN_VALUE, Candidates.Cost.CLEAN); // the clock went round
        candidates.add(2, 0, Candidates.Cost.CLEAN);
        candidates.add(3, Integer.MAX_VALUE, Candidates.Cost.CLEAN);
        assertThat(policy.victims(candidates, 4)).containsExactly(3, 1, 2, 0);
    }

    @Test
    void ordersLikeASortThatIsEasyToBelieve() {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        Candidates candidates = new Candidates();
        List<Integer> expected = new ArrayList<>();
        for (int i = 0; i < 2000; i++) {
            candidates.add(i, random.nextInt(20), Candidates.Cost.values()[random.nextInt(3)]);
            expected.add(i);
        }
        expected.sort(Comparator.comparing(candidates::cost).thenComparing(i -> -candidates.age(i)).thenComparing(i -> i));
        assertThat(policy.victims(candidates, 2000)).as("seed=%d", seed)
                .containsExactly(expected.stream().mapToInt(Integer::intValue).toArray());
        assertThat(candidates.page(1999)).isEqualTo(1999);
    }
}
