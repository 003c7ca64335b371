package io.github.hmm4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class InPlaceTest {

    private static final int LOCAL = 16;
    private static final int TURNS = 3;

    @Test
    void changesWordsAndGivesUpOnAHostThatDoesNotAnswer() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                check(cl, LOCAL * random.nextInt(1, 200), random);
            }
        });
    }

    /// @param count of words, a multiple of [#LOCAL]
    static void check(ClHarness cl, int count, SplittableRandom random) {
        ClHarness.Program program = cl.build(Source.resource("in_place.cl"));
        long[] words = random.longs(count).toArray();
        long factor = random.nextLong();
        ClHarness.Buffer changed = cl.longs(words);
        program.kernel("change_words").args(changed, factor).runOver(count, LOCAL);
        long[] expected = new long[count];
        Arrays.setAll(expected, i -> words[i] * factor + i);
        assertThat(changed.toLongs()).as("change_words count=%d factor=%d", count, factor).isEqualTo(expected);

        ClHarness.Buffer alone = cl.ints(new int[] {0, 0, 0, 7, 7, 7, 7});
        program.kernel("take_turns").args(alone, TURNS, 100).runOver(1, 1);
        assertThat(alone.toInts()).as("nobody answers").containsExactly(1, 0, 3, 7, 0, 7, 100);
        ClHarness.Buffer once = cl.ints(new int[] {0, 1, 0, 7, 7, 7, 7});
        program.kernel("take_turns").args(once, TURNS, 100).runOver(1, 1);
        assertThat(once.toInts()).as("one answer is there from the beginning").containsExactly(2, 1, 6, 7, 1, 7, 100);
    }
}
