package io.github.hmm4j.mirror;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.space.LazyTable;
import io.github.hmm4j.space.Parts;
import java.util.Arrays;
import java.util.function.IntPredicate;
import java.util.function.IntUnaryOperator;

/// The frames that have pages, by their last use: those to give up are found without a look at all others.
///
/// A use moves nothing here, because launches note it for every page and native code does so without a lock. A frame keeps the time of its use when it was put in its place; it is moved
/// when somebody comes to it who looks for old ones and finds that it was used later. So what comes first has not been used for longest, and each look costs as much as what it finds.
///
/// Windows and the paged chunk are two lists: room in one is none in the other. Off-heap, 12 bytes for each frame that was ever used.
///
/// Threads: one at a time (whoever has the mirror's lock alone); uses may be noted meanwhile.
public final class UseOrder implements AutoCloseable {

    /// Which list.
    public enum Room { WINDOWS, PAGED }

    private static final int NONE = -1;

    private final LazyTable nextOf; // frame + 1
    private final LazyTable beforeOf; // frame + 1
    private final LazyTable stampOf; // last use of the frame when it was put in its place
    private final int[] first = {NONE, NONE};
    private final int[] last = {NONE, NONE};
    private final int[] size = new int[Room.values().length];

    public UseOrder(int frameCount) {
        Parts parts = new Parts();
        try {
            nextOf = parts.add(new LazyTable((long) frameCount * Integer.BYTES));
            beforeOf = parts.add(new LazyTable((long) frameCount * Integer.BYTES));
            stampOf = parts.add(new LazyTable((long) frameCount * Integer.BYTES));
        } catch (RuntimeException | Error e) {
            parts.closeAfter(e);
            throw e;
        }
    }

    /// A frame gets a page. It is in no list.
    ///
    /// @param use the clock of its last use
    public void add(Room room, int frame, int use) {
        int list = room.ordinal();
        set(stampOf, frame, use);
        set(nextOf, frame, NONE + 1);
        set(beforeOf, frame, last[list] + 1);
        if (last[list] == NONE) {
            first[list] = frame;
        } else {
            set(nextOf, last[list], frame + 1);
        }
        last[list] = frame;
        size[list]++;
    }

    /// It loses its page.
    public void remove(Room room, int frame) {
        int list = room.ordinal();
        int before = get(beforeOf, frame) - 1;
        int next = get(nextOf, frame) - 1;
        if (before == NONE) {
            first[list] = next;
        } else {
            set(nextOf, before, next + 1);
        }
        if (next == NONE) {
            last[list] = before;
        } else {
            set(beforeOf, next, before + 1);
        }
        size[list]--;
    }

    /// Frames that have not been used for longest, about in that order. They stay in the list.
    ///
    /// @param most    how many; fewer only if there are no more that are wanted
    /// @param now     the clock
    /// @param lastUse of a frame
    /// @param wanted  whether a frame is to be named at all
    public int[] oldest(Room room, int most, int now, IntUnaryOperator lastUse, IntPredicate wanted) {
        int list = room.ordinal();
        int limit = Math.min(most, size[list]);
        int[] found = new int[limit];
        long[] used = {}; // since they were put in their places: 31 bits of youth, then the frame; as a rule few of those that are looked at
        int count = 0;
        int usedCount = 0;
        for (int frame = first[list]; frame != NONE && count < limit && usedCount < limit; frame = get(nextOf, frame) - 1) {
            if (!wanted.test(frame)) {
                continue; // and does not count: behind it there may be some who are
            }
            int use = lastUse.applyAsInt(frame);
            if (use - get(stampOf, frame) > 0) {
                if (usedCount == used.length) {
                    used = Arrays.copyOf(used, Math.min(limit, Math.max(64, 2 * usedCount)));
                }
                used[usedCount++] = (long) (Integer.MAX_VALUE - Math.max(0, now - use)) << Integer.SIZE | frame;
            } else {
                found[count++] = frame;
            }
        }
        Arrays.sort(used, 0, usedCount);
        for (int i = 0; i < usedCount; i++) {
            int frame = (int) used[i];
            remove(room, frame);
            add(room, frame, lastUse.applyAsInt(frame));
            if (count < limit) {
                found[count++] = frame;
            }
        }
        return count == limit ? found : Arrays.copyOf(found, count);
    }

    private static int get(LazyTable table, int frame) {
        return table.segment().getAtIndex(JAVA_INT, frame);
    }

    private static void set(LazyTable table, int frame, int value) {
        table.segment().setAtIndex(JAVA_INT, frame, value);
    }

    @Override
    public void close() {
        nextOf.close();
        beforeOf.close();
        stampOf.close();
    }
}
