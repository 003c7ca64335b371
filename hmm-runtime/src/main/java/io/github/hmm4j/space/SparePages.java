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
        offsets[count] = offsetBytes;
        lengths[count] = lengthBytes;
        count++;
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

    /// The range has been allocated. What sticks out of it on either side is given back.
    void remove(long offsetBytes, long lengthBytes) {
        long endBytes = offsetBytes + lengthBytes;
        int kept = 0;
        for (int i = 0; i < count; i++) {
            long start = offsets[i];
            long end = start + lengths[i];
            if (start < endBytes && offsetBytes < end) {
                totalBytes -= end - start;
                giveBack(start, Math.max(0, offsetBytes - start));
                giveBack(endBytes, Math.max(0, end - endBytes));
            } else {
                offsets[kept] = start;
                lengths[kept] = end - start;
                kept++;
            }
        }
        count = kept;
    }

    long totalBytes() {
        return totalBytes;
    }
}
