package io.github.hmm4j.policy;

import java.util.Arrays;

/// Of those not used for longest, half as many again as are needed, the cheapest first (reserved, then clean, then dirty), and among equals the oldest; pages used together go together, in
/// order of frame, so that the hole they leave is in one piece.
public final class LeastRecentlyUsed implements EvictionPolicy {

    private static final int ALWAYS_SHOWN = 4096;

    /// The time that a choice takes goes with what is needed, not with what the device holds.
    @Override
    public int shown(int framesNeeded) {
        return (int) Math.min(Integer.MAX_VALUE, framesNeeded + framesNeeded / 2L + ALWAYS_SHOWN);
    }

    @Override
    public int[] victims(Candidates candidates, int framesNeeded) {
        int size = candidates.size();
        long[] keys = new long[size];
        for (int i = 0; i < size; i++) {
            long youth = Integer.MAX_VALUE - (long) Math.max(0, candidates.age(i));
            keys[i] = (long) candidates.cost(i).ordinal() << 61 | youth << 30 | i;
        }
        Arrays.sort(keys);
        int[] victims = new int[Math.min(framesNeeded, size)];
        for (int i = 0; i < victims.length; i++) {
            victims[i] = (int) (keys[i] & (1 << 30) - 1);
        }
        return victims;
    }
}
