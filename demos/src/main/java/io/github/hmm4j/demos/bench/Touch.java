package io.github.hmm4j.demos.bench;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.Locale;
import java.util.SplittableRandom;

/// Plain loads and stores, as any code of a program makes them, of memory whose contents follow from the offset.
///
/// Managed memory and other memory go through the same methods, so that the compiler has seen both.
final class Touch {
    /// The kernel maps memory in pieces of this size, whatever the page size of the heap is.
    static final int ENTRY_BYTES = 4096;
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;
    private static final VarHandle BYTE = JAVA_BYTE.varHandle();
    private static final int ENOUGH_TO_COMPILE = 20_000;

    private Touch() {}

    private static long pattern(long offset) {
        return (offset / ENTRY_BYTES + 1) * GOLDEN + offset % ENTRY_BYTES;
    }

    static void fill(MemorySegment segment) {
        for (long offset = 0; offset < segment.byteSize(); offset += Long.BYTES) {
            segment.set(JAVA_LONG, offset, pattern(offset));
        }
    }

    /// Reads all of it in order.
    static long sum(MemorySegment segment) {
        long sum = 0;
        for (long offset = 0; offset < segment.byteSize(); offset += Long.BYTES) {
            sum += segment.get(JAVA_LONG, offset);
        }
        return sum;
    }

    /// The sum of what [#fill] writes.
    static long expectedSum(long lengthBytes) {
        long sum = 0;
        for (long offset = 0; offset < lengthBytes; offset += Long.BYTES) {
            sum += pattern(offset);
        }
        return sum;
    }

    static void requireSum(long found, long expected) {
        if (found != expected) {
            throw new IllegalStateException(String.format(Locale.ROOT, "wrong bytes: sum=%x, expected=%x",
                found, expected));
        }
    }

    /// Writes one word to each entry, in order.
    static void writeEntries(MemorySegment segment) {
        for (long offset = 0; offset < segment.byteSize(); offset += ENTRY_BYTES) {
            segment.set(JAVA_LONG, offset, offset);
        }
    }

    static void requireEntries(MemorySegment segment) {
        for (long offset = 0; offset < segment.byteSize(); offset += ENTRY_BYTES) {
            if (segment.get(JAVA_LONG, offset) != offset) {
                throw new IllegalStateException(String.format(Locale.ROOT, "wrong bytes: offset=%d, found=%d",
                    offset, segment.get(JAVA_LONG, offset)));
            }
        }
    }

    /// Reads one byte of each page from `order[from]` to before `order[end]`, and says how long each took.
    ///
    /// The value decides whether the clock is read again, so the compiler cannot move the load out of what is measured.
    static void read(MemorySegment segment, long pageBytes, int[] order, int from, int end, long[] nanos) {
        for (int i = from; i < end; i++) {
            long offset = order[i] * pageBytes;
            long start = System.nanoTime();
            byte found = segment.get(JAVA_BYTE, offset);
            if (found != (byte) pattern(offset)) {
                throw wrongByte(offset, found);
            }
            nanos[i] = System.nanoTime() - start;
        }
    }

    /// Writes one byte of each of these pages, beside the one that [#read] looks at, and says how long each took.
    ///
    /// The store is volatile because the compiler may move a plain one past the second look at the clock.
    static void write(MemorySegment segment, long pageBytes, int[] order, int from, int end, byte value, long[] nanos) {
        for (int i = from; i < end; i++) {
            long offset = order[i] * pageBytes + 1;
            long start = System.nanoTime();
            BYTE.setVolatile(segment, offset, value);
            nanos[i] = System.nanoTime() - start;
        }
    }

    static void requireWritten(MemorySegment segment, long pageBytes, int[] order, int from, int end, byte value) {
        for (int i = from; i < end; i++) {
            long offset = order[i] * pageBytes + 1;
            if (segment.get(JAVA_BYTE, offset) != value) {
                throw wrongByte(offset, segment.get(JAVA_BYTE, offset));
            }
        }
    }

    /// Like [#read] of all pages, in the order of a cycle that begins and ends with page 0, `next` giving the page after each.
    ///
    /// A loop that counts asks for a safepoint once in a thousand rounds only (`LoopStripMiningIter`). This one asks in each, as nearly all loops with faults in them do.
    static void follow(MemorySegment segment, long pageBytes, int[] next, long[] nanos) {
        int page = 0;
        do {
            long offset = page * pageBytes;
            long start = System.nanoTime();
            byte found = segment.get(JAVA_BYTE, offset);
            if (found != (byte) pattern(offset)) {
                throw wrongByte(offset, found);
            }
            nanos[page] = System.nanoTime() - start;
            page = next[page];
        } while (page != 0);
    }

    private static IllegalStateException wrongByte(long offset, byte found) {
        return new IllegalStateException(String.format(Locale.ROOT, "wrong byte: offset=%d, found=%d", offset, found));
    }

    /// All pages, so that none follows its neighbour but by chance.
    static int[] shuffled(int pages, SplittableRandom random) {
        int[] order = new int[pages];
        for (int i = 0; i < pages; i++) {
            int other = random.nextInt(i + 1);
            order[i] = order[other];
            order[other] = i;
        }
        return order;
    }

    /// The successor of each page in one cycle through all of them.
    static int[] cycle(int[] order) {
        int[] next = new int[order.length];
        for (int i = 0; i < order.length; i++) {
            next[order[i]] = order[(i + 1) % order.length];
        }
        return next;
    }

    /// Lets the compiler see the measured loops on memory that does not fault: there may be too few faults for that.
    static void warmUp(MemorySegment resident) {
        int pages = Math.toIntExact(resident.byteSize() / ENTRY_BYTES);
        int[] order = shuffled(pages, new SplittableRandom(1));
        int[] next = cycle(order);
        long[] nanos = new long[pages];
        fill(resident);
        for (int done = 0; done < ENOUGH_TO_COMPILE; done += pages) {
            read(resident, ENTRY_BYTES, order, 0, pages, nanos);
            write(resident, ENTRY_BYTES, order, 0, pages, (byte) done, nanos);
            follow(resident, ENTRY_BYTES, next, nanos);
        }
    }
}
