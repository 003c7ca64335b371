package io.github.hmm4j.mirror;

import static io.github.hmm4j.mirror.UseOrder.LEAST_LOOKS;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.device.FrameRun;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.LongPredicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class UseOrderTest {

    private static final int FEW = 64;
    private static final int MANY = 32 * LEAST_LOOKS;
    private static final int SAMPLE = 1024;

    private final int[] lastUse = new int[MANY];
    private final boolean[] hasPage = new boolean[MANY];
    private long looks; // at frames, whether or not they have pages
    private final UseOrder order = new UseOrder(frame -> {
        looks++;
        return hasPage[frame] ? frame : -1;
    }, frame -> lastUse[frame]);

    private int[] oldest(int frames, int most, int now) {
        return oldest(new FrameRun(0, frames), most, now, _ -> true);
    }

    private int[] oldest(FrameRun frames, int most, int now, LongPredicate wanted) {
        return order.oldest(frames, most, now, wanted);
    }

    private void add(int frame, int now) {
        lastUse[frame] = now;
        hasPage[frame] = true;
    }

    private void addAll(int frames, int now) {
        Arrays.fill(lastUse, 0, frames, now);
        Arrays.fill(hasPage, 0, frames, true);
    }

    @Test
    void namesThoseThatWereNotUsedForLongest() {
        for (int frame = 0; frame < 8; frame++) {
            add(frame, frame);
        }
        lastUse[0] = 10;
        lastUse[2] = 9;
        assertThat(oldest(FEW, 3, 11)).containsExactly(1, 3, 4);
        assertThat(oldest(FEW, 99, 11)).containsExactly(1, 3, 4, 5, 6, 7, 2, 0);
        hasPage[1] = false;
        hasPage[0] = false;
        hasPage[5] = false;
        assertThat(oldest(FEW, 99, 11)).containsExactly(3, 4, 6, 7, 2);
        assertThat(oldest(FEW, 0, 11)).isEmpty();
        assertThat(oldest(0, 9, 11)).isEmpty();
    }

    @Test
    void passesOverWhatIsNotWanted() {
        addAll(8, 0);
        lastUse[7] = 1;
        assertThat(oldest(new FrameRun(0, FEW), 3, 2, page -> page >= 6)).containsExactly(6, 7);
        assertThat(oldest(FEW, 3, 2)).as("they stay where they are").containsExactly(0, 1, 2);
    }

    /// What a launch keeps for itself may be as old as all others, and be nearly all there is.
    @Test
    void findsWhatIsWantedAmongMuchThatIsNot() {
        addAll(MANY, 0);
        lastUse[MANY - 2] = 1;
        for (int round = 0; round < 3; round++) {
            looks = 0;
            assertThat(oldest(new FrameRun(0, MANY), 4, 3, page -> page >= MANY - 2)).containsExactly(MANY - 1, MANY - 2);
            assertThat(looks).isLessThanOrEqualTo(2L * MANY + SAMPLE);
        }
    }

    /// Few are wanted, so that a sample knows little of how old they are.
    @Test
    void namesAsManyAsThereAreWhateverTheSampleSays() {
        addAll(MANY, 0);
        for (int frame = 0; frame < MANY; frame++) {
            lastUse[frame] = frame;
        }
        for (int round = 0; round < 50; round++) {
            assertThat(oldest(new FrameRun(0, MANY), 1_000, MANY, page -> page % 175 == 0)).hasSize(1_000).doesNotHaveDuplicates();
        }
    }

    @Test
    void windowsAndThePagedChunkAreApart() {
        addAll(16, 1);
        lastUse[12] = 0;
        assertThat(oldest(new FrameRun(0, 10), 99, 2, _ -> true)).containsExactly(IntStream.range(0, 10).toArray());
        assertThat(oldest(new FrameRun(10, 6), 2, 2, _ -> true)).containsExactly(12, 10);
        assertThat(oldest(new FrameRun(3, 4), 99, 2, _ -> true)).containsExactly(3, 4, 5, 6);
        addAll(MANY, 1);
        FrameRun half = new FrameRun(MANY / 2, MANY / 2);
        for (int round = 0; round < 2 * half.count() / LEAST_LOOKS; round++) { // the hand goes round more than once
            assertThat(Arrays.stream(oldest(half, 4 * LEAST_LOOKS, 2, _ -> true)).filter(frame -> frame >= half.first()).count()).isEqualTo(4 * LEAST_LOOKS);
        }
    }

    @Test
    void theClockMayGoRound() {
        add(1, Integer.MAX_VALUE - 1);
        add(2, Integer.MAX_VALUE);
        lastUse[1] = Integer.MIN_VALUE + 1;
        assertThat(oldest(FEW, 2, Integer.MIN_VALUE + 2)).containsExactly(2, 1);
        add(3, Integer.MIN_VALUE + 3); // a launch that began later
        assertThat(oldest(FEW, 3, Integer.MIN_VALUE + 2)).containsExactly(2, 1, 3);
    }

    /// Pages that come, are used, and go at random: those named are as old as the oldest of a sort of all.
    @Test
    void isExactForAsManyAsOneLookSees() {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        for (int now = 1; now < 100; now++) {
            int frames = random.nextBoolean() ? FEW : LEAST_LOOKS;
            for (int i = 0; i < frames / 4; i++) {
                int frame = random.nextInt(frames);
                if (!hasPage[frame] || random.nextInt(3) > 0) {
                    add(frame, now);
                } else {
                    hasPage[frame] = false;
                }
            }
            int most = 1 + random.nextInt(random.nextBoolean() ? 50 : frames);
            int odd = random.nextInt(2);
            int[] named = oldest(new FrameRun(0, frames), most, now, page -> page % 3 != odd);
            int[] uses = IntStream.range(0, frames).filter(frame -> hasPage[frame] && frame % 3 != odd).map(frame -> lastUse[frame]).sorted().limit(most).toArray();
            assertThat(Arrays.stream(named).map(frame -> lastUse[frame]).toArray()).as("seed=%d, now=%d", seed, now).isEqualTo(uses);
            assertThat(Arrays.stream(named).distinct().count()).as("seed=%d, now=%d", seed, now).isEqualTo(named.length);
            assertThat(Arrays.stream(named).allMatch(frame -> hasPage[frame] && frame % 3 != odd)).as("seed=%d, now=%d", seed, now).isTrue();
        }
    }

    /// Of more it names only old ones, wherever these lie; a tenth is old here.
    @Test
    void whatIsHotIsNotNamedWhileThereIsEnoughThatIsCold() {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        addAll(MANY, 1_000);
        for (int i = 0; i < MANY / 10; i++) {
            add(random.nextInt(MANY), random.nextInt(500));
        }
        for (int round = 0; round < 5; round++) {
            for (int most : new int[] {1, 100, MANY / 50}) {
                int[] named = oldest(MANY, most, 1_001);
                assertThat(Arrays.stream(named).distinct().count()).as("seed=%d", seed).isEqualTo(most);
                assertThat(Arrays.stream(named).allMatch(frame -> lastUse[frame] < 500)).as("seed=%d", seed).isTrue();
                assertThat(Arrays.stream(named).map(frame -> lastUse[frame]).toArray()).as("seed=%d", seed).isSorted();
            }
        }
    }

    /// All have been used at different times: what is named is of the oldest sixteenth, as a sample of a thousand knows it.
    @Test
    void namesNoneOfTheYoungerSevenEighths() {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        addAll(MANY, 0);
        for (int frame = 0; frame < MANY; frame++) {
            lastUse[frame] = random.nextInt(MANY);
        }
        for (int round = 0; round < 20; round++) {
            looks = 0;
            assertThat(Arrays.stream(oldest(MANY, 4_096, MANY)).filter(frame -> lastUse[frame] < MANY / 8).count()).as("seed=%d", seed).isEqualTo(4_096);
            assertThat(looks).as("seed=%d", seed).isLessThan(4_096 * 32);
        }
    }

    /// Evictions for many small launches, half of whose candidates are taken: to go from what is hot to what is cold is paid once for all of them.
    @Test
    void whereAllThatIsColdLiesTogetherTheHandGoesThereOnce() {
        addAll(MANY, 1_000);
        int cold = MANY / 2;
        int coldFrames = MANY / 8;
        Arrays.fill(lastUse, cold, cold + coldFrames, 1);
        int most = 2_048;
        int rounds = coldFrames / 2 / (most / 2); // then less is left than a sixteenth
        for (int round = 0; round < rounds; round++) {
            int[] named = oldest(MANY, most, 1_001 + round);
            assertThat(Arrays.stream(named).filter(frame -> lastUse[frame] == 1).count()).isEqualTo(most);
            for (int i = 0; i < most / 2; i++) {
                lastUse[named[i]] = 1_001 + round; // another page has come
            }
        }
        assertThat(looks).isLessThan(MANY + rounds * (LEAST_LOOKS + SAMPLE));
    }

    /// What streams by comes in order of frames, and leaves in it: who looks for some looks at twice as many.
    @Test
    void whatComesAndGoesInOrderCostsWhatIsNamed() {
        int step = 2 * LEAST_LOOKS;
        addAll(MANY, 0);
        for (int frame = 0; frame < MANY; frame++) {
            lastUse[frame] = frame / step;
        }
        int now = MANY / step;
        int rounds = 3 * MANY / step;
        for (int round = 0; round < rounds; round++) {
            now++;
            int first = round * step % MANY;
            assertThat(oldest(MANY, step, now)).isEqualTo(IntStream.range(first, first + step).toArray());
            Arrays.fill(lastUse, first, first + step, now);
        }
        assertThat(looks).isLessThanOrEqualTo(rounds * (2L * step + SAMPLE));
    }
}
