package io.github.hmm4j.space;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Freed addresses that are nobody's for a while, oldest first, so that whoever still uses them meets an error and not a region of somebody else. A segment that had them may be used as long as
/// its [Generation] has not ended; pointers that the program has stored have no such end, so for their sake addresses wait until [#MOST_RANGES] others have been freed after them as well.
///
/// Only addresses wait: host memory and frames are given back before. Two things keep a program cheap that allocates and frees the same size in turns, and so goes round all
/// these places.
///
/// - Host memory that is kept for the next allocation ([SparePages]) is kept at its address. Ranges that have such memory wait for others only as long as all of it can be kept, and what
///   the next free brings: of 1 MiB there are 64 under way, of 16 MiB three. Those whose memory was given back, since they are larger or had not all of it, do not count.
/// - Tables are by address, so a place that is used for the first time takes some for itself: where it is touched 15 bytes of ours for each page (8 of them the word), and 16 for
///   each 4 KiB in the kernel's page tables; with pages of 64 KiB less than half of a percent of its size. It takes nothing more when its turn comes again. All places together
///   are no more than [#MOST_BYTES], but for the one that was freed last: then also those leave whose generation has not ended.
///
/// Guarded by the monitor of its [AddressSpace].
final class Quarantine {

    /// Frees of others before addresses can be had again.
    static final int MOST_RANGES = 64;
    /// Regions of up to 256 MiB are not affected; tables of 67 MiB, with pages of 64 KiB, if all of it was touched.
    static final long MOST_BYTES = 16L << 30;

    private long[] starts = new long[MOST_RANGES];
    private long[] lengths = new long[MOST_RANGES];
    private boolean[] hasMemory = new boolean[MOST_RANGES];
    private @Nullable Generation[] generations = new Generation[MOST_RANGES];
    private int count;
    private int bound; // so many of the oldest are known to have a generation that goes on
    private long totalBytes;
    private long memoryBytes;

    /// Which range must leave before one can come, or -1.
    int leavesFor(long lengthBytes, boolean withMemory) {
        int unbound = firstUnbound();
        if (unbound <= count - MOST_RANGES) {
            return unbound;
        }
        if (count > 0 && totalBytes + lengthBytes > MOST_BYTES) {
            return oldest();
        }
        if (withMemory && memoryBytes + 2 * lengthBytes > SparePages.LIMIT_BYTES) {
            for (int i = unbound; i < count; i++) {
                if (hasMemory[i] && !isBound(i)) {
                    return i;
                }
            }
        }
        return -1;
    }

    private int firstUnbound() {
        while (bound < count && isBound(bound)) {
            bound++;
        }
        return bound;
    }

    private boolean isBound(int i) {
        return generations[i] != null && !generations[i].ended;
    }

    /// A generation has ended: whoever waited for that waits no more.
    void generationEnded() {
        bound = 0;
    }

    /// The one that has waited longest of those whose generation has ended, or of all if there is none.
    int oldest() {
        int unbound = firstUnbound();
        return unbound < count ? unbound : 0;
    }

    /// All or nothing: the Java heap may be full.
    void add(VaRange range, boolean withMemory, @Nullable Generation generation) {
        if (count == starts.length) {
            grow();
        }
        starts[count] = range.startBytes();
        lengths[count] = range.lengthBytes();
        hasMemory[count] = withMemory;
        generations[count] = generation;
        count++;
        totalBytes += range.lengthBytes();
        memoryBytes += withMemory ? range.lengthBytes() : 0;
    }

    private void grow() {
        long[] moreStarts = Arrays.copyOf(starts, 2 * count);
        long[] moreLengths = Arrays.copyOf(lengths, 2 * count);
        boolean[] moreMemory = Arrays.copyOf(hasMemory, 2 * count);
        generations = Arrays.copyOf(generations, 2 * count);
        hasMemory = moreMemory;
        lengths = moreLengths;
        starts = moreStarts; // the last: it says how many there are of each
    }

    boolean isEmpty() {
        return count == 0;
    }

    VaRange range(int i) {
        return VaRange.ofLength(starts[i], lengths[i]);
    }

    @Nullable Generation generation(int i) {
        return generations[i];
    }

    void remove(int i) {
        totalBytes -= lengths[i];
        memoryBytes -= hasMemory[i] ? lengths[i] : 0;
        bound -= i < bound ? 1 : 0;
        count--;
        System.arraycopy(starts, i + 1, starts, i, count - i);
        System.arraycopy(lengths, i + 1, lengths, i, count - i);
        System.arraycopy(hasMemory, i + 1, hasMemory, i, count - i);
        System.arraycopy(generations, i + 1, generations, i, count - i);
        generations[count] = null;
    }
}
