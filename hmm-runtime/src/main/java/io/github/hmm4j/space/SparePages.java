package io.github.hmm4j.space;

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

    /// Takes a range in, unless it is too large.
    boolean add(long offsetBytes, long lengthBytes) {
        if (lengthBytes > LIMIT_BYTES) {
            return false;
        }
        Iterator<Map.Entry<Long, Long>> oldest = lengthByOffset.entrySet().iterator();
        while (totalBytes + lengthBytes > LIMIT_BYTES) {
            Map.Entry<Long, Long> entry = oldest.next();
            oldest.remove();
            totalBytes -= entry.getValue();
            release.accept(entry.getKey(), entry.getValue());
        }
        lengthByOffset.put(offsetBytes, lengthBytes);
        totalBytes += lengthBytes;
        return true;
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
                release.accept(start, Math.max(0, offsetBytes - start));
                release.accept(endBytes, Math.max(0, end - endBytes));
            }
        }
    }

    long totalBytes() {
        return totalBytes;
    }
}
