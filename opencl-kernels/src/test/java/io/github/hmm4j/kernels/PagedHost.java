package io.github.hmm4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;

/// Plays the runtime for a kernel in paged form: the heap is a Java array, the device has a few frames, and between the
/// rounds of a launch this host brings pages in, sends others home, and keeps the table of `hmm.clh`.
///
/// Victims are drawn at random. What makes progress certain: after a round in which no work-item ended, only groups up
/// to the oldest unfinished one may run, and what that one has asked for stays.
final class PagedHost {

    static final int UNFINISHED = 0;
    static final int PROGRESS = 1;
    static final int FAULTS = 2;
    static final int VIOLATION = 3;
    static final int LIMIT = 8;
    static final int QUEUE_AT = 16;
    static final int TO_READ = 1;
    static final int TO_WRITE = 2;
    static final int OUTSIDE = 4;
    static final int CROSSES = 8;
    static final int EVERYBODY = -1;

    private static final int FREE = -1;
    private static final Set<String> BEGUN = ConcurrentHashMap.newKeySet();

    private final ClHarness cl;
    private final SplittableRandom random;
    private final byte[] heap;
    private final long base;
    private final int pageShift;
    private final int pageBytes;
    private final int queueEntries;
    private final int[] entries;                    // the table: frame, writable, readable
    private final int[] pageIn;                     // the page of each frame, or FREE
    private final BitSet toHome = new BitSet();
    private final BitSet read = new BitSet();
    private final BitSet written = new BitSet();
    private final ClHarness.Buffer image;
    private final byte[] frames;

    private String tunables = "";
    private int rounds;
    private byte[] items = {};
    private long global;
    private long local;
    private ClHarness.Buffer pages;
    private ClHarness.Buffer itemBytes;
    private ClHarness.Kernel kernel;

    /// A device of `frameCount` frames with nothing on it; `heap` is whole pages and stays the caller's.
    PagedHost(ClHarness cl, byte[] heap, long base, int pageShift, int frameCount, int queueEntries,
            SplittableRandom random) {
        this.cl = cl;
        this.random = random;
        this.heap = heap;
        this.base = base;
        this.pageShift = pageShift;
        this.pageBytes = 1 << pageShift;
        this.queueEntries = queueEntries;
        this.entries = new int[heap.length >> pageShift];
        this.pageIn = new int[frameCount];
        Arrays.fill(pageIn, FREE);
        this.frames = Seeded.bytes(random, frameCount << pageShift);
        this.image = cl.bytes(frames);
    }

    /// Where the parts of `hmm_pages` begin, as the compiler is told.
    String options() {
        return options(entries.length, pageShift, queueEntries);
    }

    static String options(int pageCount, int pageShift, int queueEntries) {
        int notedAt = QUEUE_AT + 2 * queueEntries;
        int tableAt = notedAt + Math.ceilDiv(pageCount, 16);
        return "-DHMM_PAGED -DHMM_PAGE_SHIFT=" + pageShift + " -DHMM_HEAP_BYTES=" + ((long) pageCount << pageShift)
                + "ul -DHMM_QUEUE_ENTRIES=" + queueEntries + " -DHMM_QUEUE_AT=" + QUEUE_AT
                + " -DHMM_NOTED_AT=" + notedAt + " -DHMM_TABLE_AT=" + tableAt
                + " -DHMM_TOUCHED_AT=" + (tableAt + pageCount);
    }

    private int notedAt() {
        return QUEUE_AT + 2 * queueEntries;
    }

    private int tableAt() {
        return notedAt() + Math.ceilDiv(entries.length, 16);
    }

    private int touchedAt() {
        return tableAt() + entries.length;
    }

    /// Compiles the next kernels with these options as well.
    void tune(String options) {
        tunables = " " + options;
    }

    /// Some pages into some frames, some of them writable.
    void scatter() {
        for (int page = 0; page < entries.length; page++) {
            int frame = random.nextInt(pageIn.length);
            if (random.nextBoolean() && pageIn[frame] == FREE) {
                bring(page, frame, random.nextBoolean() ? TO_READ : TO_READ | TO_WRITE);
            }
        }
    }

    /// One page into a frame that is free.
    void bring(int page, int need) {
        int frame = 0;
        while (pageIn[frame] != FREE) {
            frame++;
        }
        bring(page, frame, need == TO_WRITE ? TO_READ | TO_WRITE : TO_READ);
    }

    /// Begins a launch: no work-item has run yet.
    void begin(Source source, String name, long globalSize, long localSize, Object... args) {
        BEGUN.add(name);
        global = globalSize;
        local = localSize;
        items = new byte[Math.toIntExact(globalSize)];
        itemBytes = cl.bytes(items);
        pages = cl.ints(new int[touchedAt() + Math.ceilDiv(2 * entries.length, 4)]);
        Object[] all = new Object[args.length + 4];
        all[0] = image;
        all[1] = base;
        all[2] = pages;
        all[3] = itemBytes;
        System.arraycopy(args, 0, all, 4, args.length);
        String races = cl.onSimulator() ? " -DHMM_ALWAYS_SETS" : "";
        kernel = cl.build(source, options() + tunables + races).kernel(name).args(all);
        rounds = 0;
    }

    /// Runs the kernel once over all its work-items, and reads what it says: `hmm_pages`, until the next round.
    int[] round(int limit) {
        int[] words = new int[touchedAt() + Math.ceilDiv(2 * entries.length, 4)];
        words[LIMIT] = limit;
        System.arraycopy(entries, 0, words, tableAt(), entries.length);
        pages.write(MemorySegment.ofArray(words));
        image.write(MemorySegment.ofArray(frames));
        kernel.run(new long[] {global}, new long[] {local});
        rounds++;
        int[] after = pages.toInts();
        byte[] framesAfter = image.toBytes();
        System.arraycopy(framesAfter, 0, frames, 0, frames.length);
        items = itemBytes.toBytes();
        assertThat(Arrays.copyOfRange(after, tableAt(), touchedAt())).as("the table").isEqualTo(entries);
        assertThat(after[LIMIT]).as("work-items that may run").isEqualTo(limit);
        for (int page = 0; page < entries.length; page++) {
            if (touched(after, 2 * page) != 0) {
                read.set(page);
            }
            if (touched(after, 2 * page + 1) != 0) {
                written.set(page);
                toHome.set(page);
            }
        }
        checkQueue(after);
        return after;
    }

    /// Rounds until every work-item has come to its end, then all pages home.
    ///
    /// @throws Violation if the kernel asked for what is no object of the heap; all pages are home then, too
    void finish() {
        int limit = EVERYBODY;
        var kept = new BitSet();
        while (true) {
            int[] after = round(limit);
            if (after[VIOLATION] != 0) {
                sendAllHome();
                throw new Violation(after[VIOLATION], wide(after, VIOLATION + 1), wide(after, VIOLATION + 3));
            }
            if (after[UNFINISHED] == 0) {
                break;
            }
            boolean alone = limit != EVERYBODY;
            if (after[PROGRESS] != 0) {
                limit = EVERYBODY;
                kept.clear();
                alone = false;
            } else {
                limit = (oldestUnfinished() + 1) * (int) local;
            }
            serve(after, kept, alone);
            assertThat(rounds).as("rounds").isLessThan(2 * (items.length + 1) * (pageIn.length + 2));
        }
        for (byte item : items) {
            assertThat(item).as("every work-item has ended").isEqualTo((byte) 1);
        }
        sendAllHome();
    }

    /// The kernels that were run in this process.
    static Set<String> begun() {
        return BEGUN;
    }

    int rounds() {
        return rounds;
    }

    /// Which work-items have ended.
    byte[] items() {
        return items;
    }

    /// The frames as the device has them.
    byte[] frames() {
        return frames.clone();
    }

    /// Pages whose accessed byte was set in some round.
    BitSet read() {
        return read;
    }

    /// Pages whose dirty byte was set in some round.
    BitSet written() {
        return written;
    }

    /// The entries of the queue: `page << 1 | written`.
    int[] queue(int[] words) {
        int[] queue = new int[Math.min(words[FAULTS], queueEntries)];
        for (int i = 0; i < queue.length; i++) {
            queue[i] = words[QUEUE_AT + 2 * i];
        }
        return queue;
    }

    /// What is noted as missing: bit `2 * page` to read, the next one to write.
    BitSet noted(int[] words) {
        var noted = new BitSet();
        for (int bit = 0; bit < 2 * entries.length; bit++) {
            noted.set(bit, (words[notedAt() + bit / 32] >>> bit % 32 & 1) != 0);
        }
        return noted;
    }

    /// Whatever is in the queue is noted, once, and was not on the device; all that is noted is there if there is room,
    /// except for a page to read that is there to be written.
    private void checkQueue(int[] words) {
        BitSet noted = noted(words);
        var queued = new BitSet();
        int[] queue = queue(words);
        for (int i = 0; i < queue.length; i++) {
            assertThat(queued.get(queue[i])).as("queued before: %#x", queue[i]).isFalse();
            queued.set(queue[i]);
            assertThat(noted.get(queue[i])).as("noted: %#x", queue[i]).isTrue();
            assertThat(entries[queue[i] >>> 1] & ((queue[i] & 1) != 0 ? TO_WRITE : TO_READ)).isZero();
            assertThat(words[QUEUE_AT + 2 * i + 1]).as("rank").isBetween(0, (int) global - 1);
        }
        assertThat(words[FAULTS]).as("faults").isLessThanOrEqualTo(noted.cardinality());
        if (words[FAULTS] <= queueEntries) {
            noted.stream().forEach(bit -> assertThat(queued.get(bit) || queued.get(bit | 1)).as("%#x", bit).isTrue());
        }
    }

    private void serve(int[] words, BitSet kept, boolean alone) {
        var served = new BitSet();
        for (int fault : queue(words)) {
            int page = fault >>> 1;
            int need = (fault & 1) != 0 ? TO_READ | TO_WRITE : TO_READ;
            if (entries[page] == 0) {
                int frame = frameFor(kept, served);
                if (frame < 0) {
                    break;
                }
                bring(page, frame, need);
            } else {
                entries[page] |= need;
            }
            served.set(page);
        }
        assertThat(served.isEmpty() && words[FAULTS] != 0).as("a work-group needs more than %d frames", pageIn.length)
                .isFalse();
        if (alone) {
            kept.or(served);
        }
    }

    private int frameFor(BitSet kept, BitSet served) {
        int first = random.nextInt(pageIn.length);
        int victim = -1;
        for (int i = 0; i < pageIn.length; i++) {
            int frame = (first + i) % pageIn.length;
            if (pageIn[frame] == FREE) {
                return frame;
            }
            if (!kept.get(pageIn[frame]) && !served.get(pageIn[frame])) {
                victim = frame;
            }
        }
        if (victim >= 0) {
            sendHome(victim);
        }
        return victim;
    }

    private void bring(int page, int frame, int rights) {
        System.arraycopy(heap, page << pageShift, frames, frame << pageShift, pageBytes);
        pageIn[frame] = page;
        entries[page] = frame << 2 | rights;
    }

    private void sendHome(int frame) {
        int page = pageIn[frame];
        if (toHome.get(page)) {
            System.arraycopy(frames, frame << pageShift, heap, page << pageShift, pageBytes);
        }
        toHome.clear(page);
        entries[page] = 0;
        pageIn[frame] = FREE;
        System.arraycopy(Seeded.bytes(random, pageBytes), 0, frames, frame << pageShift, pageBytes);
    }

    private void sendAllHome() {
        for (int frame = 0; frame < pageIn.length; frame++) {
            if (pageIn[frame] != FREE) {
                sendHome(frame);
            }
        }
    }

    private int oldestUnfinished() {
        int item = 0;
        while (items[item] != 0) {
            item++;
        }
        return (int) (item / local);
    }

    private int touched(int[] words, int index) {
        return words[touchedAt() + index / 4] >>> 8 * (index % 4) & 0xff;
    }

    private static long wide(int[] words, int at) {
        return Integer.toUnsignedLong(words[at]) | (long) words[at + 1] << 32;
    }

    /// A kernel asked for what is no object of the heap.
    static final class Violation extends RuntimeException {
        private static final long serialVersionUID = 1;

        final int what;
        final long address;
        final long item;

        Violation(int what, long address, long item) {
            super("what=" + what + ", address=" + Long.toHexString(address) + ", item=" + item);
            this.what = what;
            this.address = address;
            this.item = item;
        }
    }
}
