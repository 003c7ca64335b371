package io.github.hmm4j.space;

import io.github.hmm4j.error.SystemCallFailedException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiConsumer;

/// Ranges of host memory that nobody has allocated and that were kept, zeroed, instead of being given back to the operating system: those who get them next are
/// spared the first touch, which costs ten times as much as zeroing.
///
/// The oldest go when there is too much. Guarded by the monitor of its [HostMemory].
final class SparePages {

    /// Enough for programs that allocate and free in turns, little enough to stay unnoticed.
    static final long LIMIT_BYTES = 64L << 20;

    private final Map<Long, Long> lengthByOffset = new LinkedHashMap<>();
    private final BiConsumer<Long, Long> release;
    private long totalBytes;

    /// @param release gives offset and length back to the operating system
    SparePages(BiConsumer<Long, Long> release) {
        this.release = release;
    }

    static boolean fits(long lengthBytes) {
        return lengthBytes <= LIMIT_BYTES;
    }

    /// Takes a zeroed range in that fits.
    void add(long offsetBytes, long lengthBytes) {
        Iterator<Map.Entry<Long, Long>> oldest = lengthByOffset.entrySet().iterator();
        while (totalBytes + lengthBytes > LIMIT_BYTES) {
            Map.Entry<Long, Long> entry = oldest.next();
            oldest.remove();
            totalBytes -= entry.getValue();
            giveBack(entry.getKey(), entry.getValue());
        }
        lengthByOffset.put(offsetBytes, lengthBytes);
        totalBytes += lengthBytes;
    }

    /// What the operating system does not take stays as it is: it is zeroed, and whoever allocates it gets what was promised.
    private void giveBack(long offsetBytes, long lengthBytes) {
        try {
            release.accept(offsetBytes, lengthBytes);
        } catch (SystemCallFailedException | OutOfMemoryError e) {
            return;
        }
    }

    /// The range has been allocated. What sticks out of it on either side is given back.
    void remove(long offsetBytes, long lengthBytes) {
        long endBytes = offsetBytes + lengthBytes;
        Iterator<Map.Entry<Long, Long>> entries = lengthByOffset.entrySet().iterator();
        while (entries.hasNext()) {
            Map.Entry<Long, Long> entry = entries.next();
            long start = entry.getKey();
            long end = start + entry.getValue();
            if (start < endBytes && offsetBytes < end) {
                entries.remove();
                totalBytes -= end - start;
                giveBack(start, Math.max(0, offsetBytes - start));
                giveBack(endBytes, Math.max(0, end - endBytes));
            }
        }
    }

    long totalBytes() {
        return totalBytes;
    }
}
