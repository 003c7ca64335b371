package io.github.hmm4j.space;

/// Freed addresses that are nobody's for a while, so that whoever still uses them meets an error and not a region of somebody else: the last [#MOST_RANGES] that were freed,
/// oldest first.
///
/// Only addresses wait: host memory and frames are given back before. Two things keep a program cheap that allocates and frees the same size in turns, and so goes round all
/// these places.
///
/// - Host memory that is kept for the next allocation ([SparePages]) is kept at its address. Ranges that have such memory wait only as long as all of it can be kept, and what
///   the next free brings: of 1 MiB there are 64 under way, of 16 MiB three. Those whose memory was given back, since they are larger or were not all on the host, do not count.
/// - Tables are by address, so a place that is used for the first time takes some for itself: where it is touched 15 bytes of ours for each page (8 of them the word), and 16 for
///   each 4 KiB in the kernel's page tables; with pages of 64 KiB less than half of a percent of its size. It takes nothing more when its turn comes again. All places together
///   are no more than [#MOST_BYTES], but for the one that was freed last.
///
/// Takes nothing from the Java heap once it is made. Guarded by the monitor of its [AddressSpace].
final class Quarantine {

    /// Frees of others before addresses can be had again.
    static final int MOST_RANGES = 64;
    /// Regions of up to 256 MiB are not affected; tables of 67 MiB, with pages of 64 KiB, if all of it was touched.
    static final long MOST_BYTES = 16L << 30;

    private final long[] starts = new long[MOST_RANGES];
    private final long[] lengths = new long[MOST_RANGES];
    private final boolean[] hasMemory = new boolean[MOST_RANGES];
    private int count;
    private long totalBytes;
    private long memoryBytes;

    /// Which range must leave before one can come, or -1.
    int leavesFor(long lengthBytes, boolean withMemory) {
        if (count == MOST_RANGES || (count > 0 && totalBytes + lengthBytes > MOST_BYTES)) {
            return 0;
        }
        if (withMemory && memoryBytes + 2 * lengthBytes > SparePages.LIMIT_BYTES) {
            for (int i = 0; i < count; i++) {
                if (hasMemory[i]) {
                    return i;
                }
            }
        }
        return -1;
    }

    void add(VaRange range, boolean withMemory) {
        starts[count] = range.startBytes();
        lengths[count] = range.lengthBytes();
        hasMemory[count] = withMemory;
        count++;
        totalBytes += range.lengthBytes();
        memoryBytes += withMemory ? range.lengthBytes() : 0;
    }

    boolean isEmpty() {
        return count == 0;
    }

    /// The oldest is 0.
    VaRange range(int i) {
        return VaRange.ofLength(starts[i], lengths[i]);
    }

    void remove(int i) {
        totalBytes -= lengths[i];
        memoryBytes -= hasMemory[i] ? lengths[i] : 0;
        count--;
        System.arraycopy(starts, i + 1, starts, i, count - i);
        System.arraycopy(lengths, i + 1, lengths, i, count - i);
        System.arraycopy(hasMemory, i + 1, hasMemory, i, count - i);
    }
}
