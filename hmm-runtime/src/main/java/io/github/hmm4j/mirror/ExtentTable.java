package io.github.hmm4j.mirror;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.space.LazyTable;
import io.github.hmm4j.space.Parts;
import java.lang.invoke.VarHandle;

/// Numbers by index that mostly go on from one to the next, as frames of pages that lie side by side do. A block of them that does is one extent, and takes 8 bytes; where they do not go on, the block is
/// scattered, and each of its numbers has 4 bytes of its own. So file systems keep where a file's blocks lie. 0 means none.
///
/// Off-heap; native code reads and writes it, too (`extents.c`, which has the same rules). Threads: one writer at a time, any readers, without a lock: who reads an extent has all of it, and who has found a block
/// scattered finds each number as it was then or later, since all are written before the block says that it is.
public final class ExtentTable implements AutoCloseable {

    private static final VarHandle LONG = JAVA_LONG.varHandle();
    private static final VarHandle INT = JAVA_INT.varHandle();

    // An extent in 64 bits, the number of its first entry lowest. One that is scattered is negative, and of the rest only the count means something: how many entries are not 0.
    private static final int START_SHIFT = 32;
    private static final int COUNT_SHIFT = 42;
    private static final int TEN_BITS = 1023; // blocks have 512 entries at most
    private static final long SCATTERED = 1L << 63;
    private static final long NO_EXTENT = -1;

    private final LazyTable extents;
    private final LazyTable entries;
    private final int step;
    private final int blockShift;

    /// A table, as native code takes it.
    public record Addresses(long extents, long entries, long step, long blockShift) {}

    /// @param step       by how much numbers of neighbours differ that go on: 1 or 0
    /// @param blockShift of a block's entries, of which there are a power of two
    ExtentTable(long count, int step, int blockShift) {
        long blocks = ((count - 1) >> blockShift) + 1;
        this.step = step;
        this.blockShift = blockShift;
        Parts parts = new Parts();
        try {
            extents = parts.add(new LazyTable(blocks * Long.BYTES));
            entries = parts.add(new LazyTable((blocks << blockShift) * Integer.BYTES));
        } catch (RuntimeException | Error e) {
            parts.closeAfter(e);
            throw e;
        }
    }

    Addresses addresses() {
        return new Addresses(extents.segment().address(), entries.segment().address(), step, blockShift);
    }

    int get(long index) {
        long extent = extent(index >> blockShift);
        return extent < 0 ? (int) INT.getAcquire(entries.segment(), index * Integer.BYTES) : at(extent, entryOf(index));
    }

    void set(long index, int value) {
        long block = index >> blockShift;
        long extent = extent(block);
        if (extent >= 0) {
            long changed = change(extent, entryOf(index), value);
            if (changed != NO_EXTENT) {
                setExtent(block, changed);
                return;
            }
            for (int entry = 0; entry < 1 << blockShift; entry++) {
                entries.segment().set(JAVA_INT, ((block << blockShift) + entry) * Integer.BYTES, at(extent, entry));
            }
        }
        int before = entries.segment().get(JAVA_INT, index * Integer.BYTES);
        INT.setRelease(entries.segment(), index * Integer.BYTES, value);
        int count = count(extent) + (value == 0 ? 0 : 1) - (before == 0 ? 0 : 1);
        setExtent(block, count == 0 ? 0 : SCATTERED | pack(0, 0, count));
    }

    /// Whether there are numbers from `first` to before `end`, each of which goes on from the one before it. A block in which this is found becomes an extent, so that the next who asks looks no closer.
    /// Several may ask at the same time, but nobody may write to these meanwhile.
    boolean isOneExtent(long first, long end) {
        int number = get(first);
        if (number == 0) {
            return false;
        }
        for (long index = first; index < end; ) {
            long block = index >> blockShift;
            int count = (int) (Math.min(end, (block + 1) << blockShift) - index);
            long extent = extent(block);
            if (extent >= 0) {
                int entry = entryOf(index);
                if (at(extent, entry) != number || entry + count > start(extent) + count(extent)) {
                    return false;
                }
            } else {
                for (int i = 0; i < count; i++) {
                    if (get(index + i) != number + i * step) {
                        return false;
                    }
                }
                if (count == 1 << blockShift) {
                    setExtent(block, pack(number, 0, count));
                }
            }
            number += count * step;
            index += count;
        }
        return true;
    }

    /// What an extent becomes with this entry, if that is an extent.
    private long change(long extent, int entry, int value) {
        int start = start(extent);
        int count = count(extent);
        int number = (int) extent;
        if (at(extent, entry) == value) {
            return extent;
        }
        if (value == 0) {
            return entry == start + count - 1 ? pack(number, start, count - 1) : entry == start ? pack(number + step, start + 1, count - 1) : NO_EXTENT;
        }
        if (count == 0) {
            return pack(value, entry, 1);
        }
        if (entry == start + count && value == number + step * count) {
            return pack(number, start, count + 1);
        }
        return entry == start - 1 && value == number - step ? pack(value, entry, count + 1) : NO_EXTENT;
    }

    private int at(long extent, int entry) {
        int behind = entry - start(extent);
        return behind >= 0 && behind < count(extent) ? (int) extent + behind * step : 0;
    }

    private int entryOf(long index) {
        return (int) index & (1 << blockShift) - 1;
    }

    private long extent(long block) {
        return (long) LONG.getAcquire(extents.segment(), block * Long.BYTES);
    }

    private void setExtent(long block, long extent) {
        LONG.setRelease(extents.segment(), block * Long.BYTES, extent);
    }

    private static long pack(int number, int start, int count) {
        return count == 0 ? 0 : Integer.toUnsignedLong(number) | (long) start << START_SHIFT | (long) count << COUNT_SHIFT;
    }

    private static int start(long extent) {
        return (int) (extent >> START_SHIFT) & TEN_BITS;
    }

    private static int count(long extent) {
        return (int) (extent >> COUNT_SHIFT) & TEN_BITS;
    }

    @Override
    public void close() {
        extents.close();
        entries.close();
    }
}
