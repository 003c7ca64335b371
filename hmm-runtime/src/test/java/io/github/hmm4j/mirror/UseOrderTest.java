package io.github.hmm4j.mirror;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.mirror.UseOrder.Room;
import java.util.Arrays;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class UseOrderTest {

    private static final int FRAMES = 64;

    private final int[] lastUse = new int[FRAMES];

    private int[] oldest(UseOrder order, Room room, int most, int now) {
        return order.oldest(room, most, now, frame -> lastUse[frame], _ -> true);
    }

    private void add(UseOrder order, Room room, int frame, int now) {
        lastUse[frame] = now;
        order.add(room, frame, now);
    }

    @Test
    void namesThoseThatWereNotUsedForLongest() {
        try (UseOrder order = new UseOrder(FRAMES)) {
            for (int frame = 0; frame < 8; frame++) {
                add(order, Room.WINDOWS, frame, frame);
            }
            lastUse[0] = 10;
            lastUse[2] = 9;
            assertThat(oldest(order, Room.WINDOWS, 3, 11)).containsExactly(1, 3, 4);
            assertThat(oldest(order, Room.WINDOWS, 99, 11)).containsExactly(1, 3, 4, 5, 6, 7, 2, 0);
            order.remove(Room.WINDOWS, 1);
            order.remove(Room.WINDOWS, 0);
            order.remove(Room.WINDOWS, 5);
            assertThat(oldest(order, Room.WINDOWS, 99, 11)).containsExactly(3, 4, 6, 7, 2);
        }
    }

    @Test
    void passesOverWhatIsNotWanted() {
        try (UseOrder order = new UseOrder(FRAMES)) {
            for (int frame = 0; frame < 8; frame++) {
                add(order, Room.WINDOWS, frame, 0);
            }
            lastUse[7] = 1;
            assertThat(order.oldest(Room.WINDOWS, 3, 2, frame -> lastUse[frame], frame -> frame >= 6)).containsExactly(6, 7);
            assertThat(oldest(order, Room.WINDOWS, 3, 2)).as("they stay where they are").containsExactly(0, 1, 2);
        }
    }

    /// What a launch keeps for itself has been used, and may lie in front of all others.
    @Test
    void findsWhatIsWantedBehindMuchThatIsNot() {
        try (UseOrder order = new UseOrder(FRAMES)) {
            for (int frame = 0; frame < FRAMES; frame++) {
                add(order, Room.WINDOWS, frame, 0);
            }
            for (int frame = 0; frame < FRAMES - 2; frame++) {
                lastUse[frame] = 1;
            }
            lastUse[FRAMES - 1] = 2;
            for (int round = 0; round < 3; round++) {
                assertThat(order.oldest(Room.WINDOWS, 4, 3, frame -> lastUse[frame], frame -> frame >= FRAMES - 2))
                        .containsExactly(FRAMES - 2, FRAMES - 1);
            }
        }
    }

    /// Where all have been used since they came, a few are looked at and the oldest of those named.
    @Test
    void looksAtAsManyAsItNames() {
        try (UseOrder order = new UseOrder(FRAMES)) {
            for (int frame = 0; frame < FRAMES; frame++) {
                add(order, Room.WINDOWS, frame, 0);
            }
            for (int frame = 0; frame < FRAMES; frame++) {
                lastUse[frame] = 1 + FRAMES - frame;
            }
            int[] looks = {0};
            assertThat(order.oldest(Room.WINDOWS, 4, 99, frame -> {
                looks[0]++;
                return lastUse[frame];
            }, _ -> true)).containsExactly(3, 2, 1, 0);
            assertThat(looks[0]).isLessThanOrEqualTo(8);
        }
    }

    @Test
    void windowsAndThePagedChunkAreApart() {
        try (UseOrder order = new UseOrder(FRAMES)) {
            add(order, Room.WINDOWS, 1, 1);
            add(order, Room.PAGED, 2, 1);
            assertThat(oldest(order, Room.WINDOWS, 9, 2)).containsExactly(1);
            assertThat(oldest(order, Room.PAGED, 9, 2)).containsExactly(2);
            order.remove(Room.PAGED, 2);
            assertThat(oldest(order, Room.PAGED, 9, 2)).isEmpty();
        }
    }

    @Test
    void theClockMayGoRound() {
        try (UseOrder order = new UseOrder(FRAMES)) {
            add(order, Room.WINDOWS, 1, Integer.MAX_VALUE - 1);
            add(order, Room.WINDOWS, 2, Integer.MAX_VALUE);
            lastUse[1] = Integer.MIN_VALUE + 1;
            assertThat(oldest(order, Room.WINDOWS, 2, Integer.MIN_VALUE + 2)).containsExactly(2, 1);
        }
    }

    /// Adding, using, removing and looking at random, beside a plain list: it names as many as there are, each once, and none that is not there.
    @Test
    void keepsCountOfAll() {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        try (UseOrder order = new UseOrder(FRAMES)) {
            Set<Integer> in = new TreeSet<>();
            for (int now = 1; now < 20_000; now++) {
                int frame = random.nextInt(FRAMES);
                switch (random.nextInt(4)) {
                    case 0 -> {
                        if (in.add(frame)) {
                            add(order, Room.WINDOWS, frame, now);
                        }
                    }
                    case 1 -> {
                        if (in.remove(frame)) {
                            order.remove(Room.WINDOWS, frame);
                        }
                    }
                    case 2 -> lastUse[frame] = in.contains(frame) ? now : lastUse[frame];
                    default -> {
                        int most = 1 + random.nextInt(FRAMES);
                        int[] named = oldest(order, Room.WINDOWS, most, now);
                        assertThat(named).as("seed=%d", seed).hasSize(Math.min(most, in.size())).doesNotHaveDuplicates();
                        assertThat(in).as("seed=%d", seed).containsAll(Arrays.stream(named).boxed().toList());
                    }
                }
            }
        }
    }
}
