package io.github.hmm4j.space;

import io.github.hmm4j.error.SystemCallFailedException;
import java.util.Arrays;

/// Ranges of host memory that nobody has allocated and that were kept, zeroed, instead of being given back to the operating system: those who get them next are
/// spared the first touch, which costs ten times as much as zeroing.
///
/// The oldest go when there is too much. To allocate from it takes nothing from the Java heap, since the region is
/// there by then. Guarded by the monitor of its [HostMemory].
final class SparePages {

    /// Enough for programs that allocate and free in turns, little enough to stay unnoticed: for as many ranges of 1 MiB as wait in [Quarantine], and the one that comes out of it.
    static final long LIMIT_BYTES = (Quarantine.MOST_RANGES + 1L) << 20;

    /// How a range goes back to the operating system.
    @FunctionalInterface
    interface Release {
        void release(long offsetBytes, long lengthBytes);
    }

    private final Release release;
    private long[] offsets = new long[16]; // oldest first
    private long[] lengths = new long[16];
    private int count;
    private long totalBytes;

    SparePages(Release release) {
        this.release = release;
    }

    /// Not if it were alone: it is allocated again after others at the earliest ([Quarantine]), and would have been driven out by them.
    static boolean fits(long lengthBytes) {
        return 2 * lengthBytes <= LIMIT_BYTES;
    }

    /// Takes a zeroed range in that fits.
    void add(long offsetBytes, long lengthBytes) {
        int gone = 0;
        while (totalBytes + lengthBytes > LIMIT_BYTES) {
            totalBytes -= lengths[gone];
            giveBack(offsets[gone], lengths[gone]);
            gone++;
        }
        count -= gone;
        System.arraycopy(offsets, gone, offsets, 0, count);
        System.arraycopy(lengths, gone, lengths, 0, count);
        if (count == lengths.length) { // the last that grows: both have that much
            offsets = Arrays.copyOf(offsets, 2 * count);
            lengths = Arrays.copyOf(lengths, 2 * count);
        }
        put(count++, offsetBytes, offsetBytes + lengthBytes);
        totalBytes += lengthBytes;
    }

    /// What the operating system does not take stays as it is: it is zeroed, and whoever allocates it gets what was promised.
    private void giveBack(long offsetBytes, long lengthBytes) {
        try {
            release.release(offsetBytes, lengthBytes);
        } catch (SystemCallFailedException | OutOfMemoryError e) {
            return;
        }
    }

    /// The range has been allocated. What sticks out of it on either side stays: regions of one size do not lie as those before them did where some begin at their page and others behind it ([Coloring]).
    void remove(long offsetBytes, long lengthBytes) {
        long endBytes = offsetBytes + lengthBytes;
        long tailBytes = 0;
        int kept = 0;
        for (int i = 0; i < count; i++) {
            long start = offsets[i];
            long end = start + lengths[i];
            if (start >= endBytes || offsetBytes >= end) {
                put(kept++, start, end);
                continue;
            }
            totalBytes -= Math.min(end, endBytes) - Math.max(start, offsetBytes);
            if (start < offsetBytes) {
                put(kept++, start, offsetBytes);
                tailBytes = Math.max(0, end - endBytes); // of the one range that has the allocated one in its middle
            } else if (endBytes < end) {
                put(kept++, endBytes, end);
            }
        }
        count = kept;
        if (tailBytes > 0) {
            addTail(endBytes, tailBytes);
        }
    }

    private void put(int index, long startBytes, long endBytes) {
        offsets[index] = startBytes;
        lengths[index] = endBytes - startBytes;
    }

    /// Nothing may be taken from the Java heap here.
    private void addTail(long offsetBytes, long lengthBytes) {
        if (count < lengths.length) {
            put(count++, offsetBytes, offsetBytes + lengthBytes);
        } else {
            totalBytes -= lengthBytes;
            giveBack(offsetBytes, lengthBytes);
        }
    }

    long totalBytes() {
        return totalBytes;
    }
}
