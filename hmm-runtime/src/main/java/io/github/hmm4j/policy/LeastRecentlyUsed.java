package io.github.hmm4j.policy;

import java.util.Arrays;

/// Of those not used for longest, half as many again as are needed: first those of regions that have all of their quota, then the others, of either the cheapest first (reserved, then clean, then
/// dirty), and among equals the oldest; pages used together go together, in order of frame, so that the hole they leave is in one piece.
public final class LeastRecentlyUsed implements EvictionPolicy {

    private static final int ALWAYS_SHOWN = 4096;
    private static final Candidates.Cost[] COSTS = Candidates.Cost.values();

    /// The time that a choice takes goes with what is needed, not with what the device holds.
    @Override
    public int shown(int framesNeeded) {
        return (int) Math.min(Integer.MAX_VALUE, framesNeeded + framesNeeded / 2L + ALWAYS_SHOWN);
    }

    @Override
    public int[] victims(Candidates candidates, int framesNeeded) {
        int[] victims = new int[Math.min(framesNeeded, candidates.size())];
        int count = 0;
        for (int cost = 0; candidates.hasFullRegions() && cost < COSTS.length && count < victims.length; cost++) {
            count = add(candidates, true, COSTS[cost], victims, count);
        }
        for (int cost = 0; cost < COSTS.length && count < victims.length; cost++) {
            count = add(candidates, false, COSTS[cost], victims, count);
        }
        return victims;
    }

    /// Adds those that cost so much, the oldest first, until there are enough. As a rule they come in that order, and nothing has to be sorted.
    private static int add(Candidates candidates, boolean full, Candidates.Cost cost, int[] victims, int from) {
        int count = from;
        long last = 0;
        for (int i = 0; i < candidates.size(); i++) {
            if (candidates.cost(i) == cost && candidates.isOfFullRegion(i) == full) {
                long key = key(candidates, i);
                if (key < last) {
                    return addSorted(candidates, full, cost, victims, from);
                }
                last = key;
                if (count < victims.length) {
                    victims[count++] = i;
                }
            }
        }
        return count;
    }

    private static int addSorted(Candidates candidates, boolean full, Candidates.Cost cost, int[] victims, int from) {
        long[] keys = new long[candidates.size()];
        int size = 0;
        for (int i = 0; i < candidates.size(); i++) {
            if (candidates.cost(i) == cost && candidates.isOfFullRegion(i) == full) {
                keys[size++] = key(candidates, i);
            }
        }
        Arrays.sort(keys, 0, size);
        int count = from;
        for (int i = 0; i < size && count < victims.length; i++) {
            victims[count++] = (int) keys[i];
        }
        return count;
    }

    /// Smaller for an older one.
    private static long key(Candidates candidates, int index) {
        return (long) (Integer.MAX_VALUE - Math.max(0, candidates.age(index))) << Integer.SIZE | index;
    }
}
