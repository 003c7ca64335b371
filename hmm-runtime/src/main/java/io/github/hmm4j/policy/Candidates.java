package io.github.hmm4j.policy;

import java.util.Arrays;
import java.util.BitSet;

/// The frames of one device that may be given up: facts for an [EvictionPolicy], about in the order of their last use, the oldest first.
public final class Candidates {

    /// What giving a frame up costs.
    public enum Cost {
        /// Its page is not on this device now; the frame is only reserved.
        RESERVED,
        /// The host has a valid copy: nothing is transferred.
        CLEAN,
        /// The device has the only copy, which must come home.
        DIRTY
    }

    private static final int FIRST_ROOM = 256;
    private static final Cost[] COSTS = Cost.values();

    private long[] pages;
    private int[] ages;
    private byte[] costs; // by ordinal: of millions of objects the collector would hear one by one
    private final BitSet full = new BitSet();
    private int size;

    public Candidates() {
        this(FIRST_ROOM);
    }

    /// @param room for so many without growing; more than none
    public Candidates(int room) {
        pages = new long[room];
        ages = new int[room];
        costs = new byte[room];
    }

    /// Adds a frame behind those before.
    ///
    /// @param age launches and migrations of this device since the frame was last used; where kernels fault, nobody knows of uses, and it is how many pages have come since this one
    public void add(long pageIndex, int age, Cost cost) {
        if (size == pages.length) {
            pages = Arrays.copyOf(pages, size * 2);
            ages = Arrays.copyOf(ages, size * 2);
            costs = Arrays.copyOf(costs, size * 2);
        }
        pages[size] = pageIndex;
        ages[size] = age;
        costs[size] = (byte) cost.ordinal();
        size++;
    }

    /// The region of the last one has all that it may have here ([io.github.hmm4j.ManagedHeap#quota]).
    public void lastIsOfFullRegion() {
        full.set(size - 1);
    }

    /// Whether there is any of such a region.
    public boolean hasFullRegions() {
        return !full.isEmpty();
    }

    /// Whether its region has all that it may have on this device: then it is to make room first.
    public boolean isOfFullRegion(int index) {
        return full.get(index);
    }

    public int size() {
        return size;
    }

    public long page(int index) {
        return pages[index];
    }

    public int age(int index) {
        return ages[index];
    }

    public Cost cost(int index) {
        return COSTS[costs[index]];
    }
}
