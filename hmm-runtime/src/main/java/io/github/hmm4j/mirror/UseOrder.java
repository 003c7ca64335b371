package io.github.hmm4j.mirror;

import io.github.hmm4j.device.FrameRun;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.IntToLongFunction;
import java.util.function.IntUnaryOperator;
import java.util.function.LongPredicate;

/// Finds the frames that have not been used for longest, as a rule without a look at all others.
///
/// Nothing is kept but the last use of each frame, which launches note for every page and native code does so without a lock. Some frames that are taken at random say how old the oldest are; a hand that goes
/// round all frames then takes those that are so old as they come. It begins where it found the middle one the time before, since a policy sees more than it takes.
///
/// So it is exact for as many frames as [#LEAST_LOOKS]. Of more it names only some of the oldest sixteenth, or of twice as many as are asked for, give or take what a sample does not know:
/// what is hot does not go while so much else is cold. It looks at about 16 frames for each that it names, and once at all to come from where none is old to where they are.
///
/// Threads: one at a time (whoever has the mirror's lock alone); uses may be noted meanwhile.
public final class UseOrder {

    /// A look sees so many frames, if there are so many, and then the oldest of those that it has found are named.
    static final int LEAST_LOOKS = 1 << 14;

    private static final int SAMPLE = 1024;
    private static final int OLD = SAMPLE / 16;
    private static final int FIRST_ROOM = 64;
    private static final int MOST_ROOM = Integer.MAX_VALUE - 8; // of an array

    private final IntToLongFunction pageOf;
    private final IntUnaryOperator lastUse;
    private final SplittableRandom random = new SplittableRandom(1); // the same in each run
    private int hand;

    /// @param pageOf  page of a frame, negative if it has none
    /// @param lastUse clock of the last use of a frame that has a page
    public UseOrder(IntToLongFunction pageOf, IntUnaryOperator lastUse) {
        this.pageOf = pageOf;
        this.lastUse = lastUse;
    }

    /// Frames whose pages have not been used for longest, in that order.
    ///
    /// @param frames those that are looked for
    /// @param most   how many; fewer only if there are no more that are wanted
    /// @param now    the clock, which may wrap around
    /// @param wanted whether the frame of a page is to be named at all
    public int[] oldest(FrameRun frames, int most, int now, LongPredicate wanted) {
        Found found = new Found(Math.min(most, frames.count()));
        if (found.most == 0) {
            return new int[0];
        }
        if (hand < frames.first() || hand >= frames.end()) {
            hand = frames.first();
        }
        int old = age(frames, found.most, now, wanted);
        goRound(frames, now, wanted, old, Integer.MAX_VALUE, found);
        if (found.count > found.most / 2) {
            hand = found.middle;
        }
        if (old > 0 && found.count < found.most) {
            goRound(frames, now, wanted, 0, old - 1, found);
        }
        return found.oldest();
    }

    /// How old a frame is to be named: twice as many as are asked for are so old, or a sixteenth of those that are wanted. 0 if there may not be so many.
    private int age(FrameRun frames, int most, int now, LongPredicate wanted) {
        long asked = 2L * most * SAMPLE / frames.count();
        if (asked >= SAMPLE) {
            return 0;
        }
        int[] ages = new int[SAMPLE];
        int count = 0;
        for (int i = 0; i < SAMPLE; i++) {
            int frame = frames.first() + random.nextInt(frames.count());
            long page = pageOf.applyAsLong(frame);
            if (page >= 0 && wanted.test(page)) {
                ages[count++] = age(frame, now);
            }
        }
        Arrays.sort(ages, 0, count);
        int older = (int) Math.max(asked, (long) OLD * count / SAMPLE);
        return older < count ? ages[count - 1 - older] : 0;
    }

    private int age(int frame, int now) {
        return Math.max(0, now - lastUse.applyAsInt(frame));
    }

    /// Adds frames of these ages, both included, from the hand on until there are enough.
    private void goRound(FrameRun frames, int now, LongPredicate wanted, int youngest, int oldest, Found found) {
        int frame = hand;
        for (int looks = 0; looks < frames.count() && (looks < LEAST_LOOKS || found.count < found.most); looks++) {
            long page = pageOf.applyAsLong(frame);
            if (page >= 0) {
                int age = age(frame, now);
                if (age >= youngest && age <= oldest && wanted.test(page)) {
                    found.add(frame, age);
                }
            }
            frame = frame + 1 == frames.end() ? frames.first() : frame + 1;
        }
    }

    private static final class Found {

        private final int most;
        private long[] keys = {}; // 31 bits of youth, then the frame
        private int count;
        private int middle; // where half of those that are asked for had been found

        Found(int most) {
            this.most = most;
        }

        void add(int frame, int age) {
            if (count == keys.length) {
                keys = Arrays.copyOf(keys, (int) Math.min(MOST_ROOM, Math.max(FIRST_ROOM, 2L * count)));
            }
            middle = count == most / 2 ? frame : middle;
            keys[count++] = (long) (Integer.MAX_VALUE - age) << Integer.SIZE | frame;
        }

        int[] oldest() {
            Arrays.sort(keys, 0, count);
            int[] oldest = new int[Math.min(most, count)];
            for (int i = 0; i < oldest.length; i++) {
                oldest[i] = (int) keys[i];
            }
            return oldest;
        }
    }
}
