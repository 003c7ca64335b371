package io.github.hmm4j.mirror;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.github.hmm4j.device.Device;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.space.LazyTable;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.PageSet;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/// The page table of one device in that device's own memory, which kernels read ([TableLayout]), and what they write beside it: faults, and which pages they touched.
///
/// It is derived from the page words and never the truth. The gate writes it, after the launch was published: from then on whoever takes a page away waits for the kernel, and whoever did so
/// before is seen in the word, so what an entry allows stays true until the kernel has ended. Of a launch's ranges all entries are right, and all others are zero. Only what differs from
/// what the device has is written: by commands, or by the host itself where it reaches the memory ([Device#tableMemory]).
///
/// Threads: a launch holds [#turn()] over each of its rounds, so that one kernel at a time uses table and queue; entries are written under the mirror's lock besides.
/// Owns its device memory, and takes it with the first launch.
public final class DeviceTable implements AutoCloseable {

    private static final int ITEMS_GRANULE = 4096;
    private static final int IDLE_ITEMS = 2; // kept for launches to come
    private static final long MOST_ITEMS = 0xFFFF_FFFFL; // that a rank of 32 bits tells apart
    private static final byte UNKNOWN = -1; // in the image: nobody knows what the device has

    private final DeviceMirror mirror;
    private final TableLayout layout;
    private final LazyTable image; // the device's entries, as they are there
    private final ReentrantLock turn = new ReentrantLock();
    private final MemorySegment control = Arena.ofAuto().allocate(TableLayout.NOTED_AT * (long) Integer.BYTES, Integer.BYTES);
    private @Nullable DeviceMemory memory;
    private final List<DeviceMemory> idleItems = new ArrayList<>(IDLE_ITEMS); // guarded by itself
    private List<PageRange> shown = List.of(); // all other entries are zero
    private List<PageRange> asked = List.of(); // by the last update
    private volatile boolean distrusted; // entries may be anything

    DeviceTable(DeviceMirror mirror, TableLayout layout) {
        this.mirror = mirror;
        this.layout = layout;
        image = new LazyTable(layout.pageCount() * Integer.BYTES);
    }

    /// Held by a launch over each of its rounds. Rank: before the mirror's lock; never while a view is waited for.
    public ReentrantLock turn() {
        return turn;
    }

    /// What the compiler of kernels must be told.
    public String compilerOptions() {
        return layout.options();
    }

    /// One entry as the device has it, with what kernels have done since that was last taken.
    ///
    /// @param frame    where its frame is in the memory that kernels get, counted in pages; -1: they find nothing
    /// @param accessed whether a kernel has read the page
    /// @param dirty    whether a kernel has asked to write it
    public record Entry(long page, int frame, boolean readable, boolean writable, boolean accessed, boolean dirty) {}

    /// Flags of a launch's work-items, which kernels take as `hmm_items`: who has come to its end.
    public final class Items implements AutoCloseable {

        private final DeviceMemory memory;
        private boolean abandoned;

        private Items(DeviceMemory memory) {
            this.memory = memory;
        }

        public DeviceMemory memory() {
            return memory;
        }

        /// A kernel that uses them did not end, as far as is known, or ended badly: nobody gets them again before the device is closed.
        public void abandon() {
            abandoned = true;
        }

        /// No launch may be in flight that uses them, unless they are abandoned.
        @Override
        public void close() {
            if (abandoned) {
                return; // the device closes what is left
            }
            synchronized (idleItems) {
                if (idleItems.size() < IDLE_ITEMS) {
                    idleItems.add(memory);
                    return;
                }
            }
            memory.close();
        }
    }

    /// Flags for a launch, of which no work-item has come to its end. To be closed after its last round.
    ///
    /// @throws IllegalArgumentException if there are more than a rank tells apart
    public Items items(long workItems) {
        if (workItems > MOST_ITEMS) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "workItems=%d of a kernel that goes through the page table, must be at most %d",
                    workItems, MOST_ITEMS));
        }
        long bytes = Math.ceilDiv(workItems, ITEMS_GRANULE) * ITEMS_GRANULE;
        DeviceMemory flags = idle(bytes);
        flags = flags == null ? mirror.device().tableMemory(bytes) : flags;
        boolean ready = false;
        try {
            zero(flags, 0, bytes);
            ready = true;
            return new Items(flags);
        } finally {
            if (!ready) {
                flags.close();
            }
        }
    }

    private @Nullable DeviceMemory idle(long bytes) {
        synchronized (idleItems) {
            for (int i = 0; i < idleItems.size(); i++) {
                if (idleItems.get(i).lengthBytes() >= bytes) {
                    return idleItems.remove(i);
                }
            }
            return null;
        }
    }

    /// A launch has ended with an error, and its kernel may have written over entries of any pages before: the next round begins with a table that is written anew. Never fails.
    public void distrust() {
        distrusted = true;
    }

    /// Gets ready for a round.
    ///
    /// @param limit   only work-items of a smaller rank may run
    public void beginRound(long limit) {
        assert turn.isHeldByCurrentThread();
        if (distrusted) {
            beginAgain();
        }
        MemorySegment words = control.asSlice(0, TableLayout.CONTROL_WORDS * (long) Integer.BYTES).fill((byte) 0);
        words.setAtIndex(JAVA_INT, TableLayout.LIMIT, (int) Math.min(limit, MOST_ITEMS));
        memory().write(0, words);
        zero(memory(), TableLayout.NOTED_AT * (long) Integer.BYTES, layout.notedBytes());
    }

    private void beginAgain() {
        distrusted = false; // first: whoever says so meanwhile is heard the next time
        boolean zeroed = false;
        try {
            zero(memory(), layout.tableAt() * Integer.BYTES, (layout.touchedAt() - layout.tableAt()) * Integer.BYTES); // not what was touched: that is a hint for who leaves first, and nothing else
            zeroed = true;
        } finally {
            distrusted = !zeroed || distrusted;
        }
        fillImage((byte) 0);
        shown = List.of();
    }

    /// Of all pages that are shown.
    private void fillImage(byte with) {
        for (PageRange range : shown) {
            image.segment().asSlice(range.first() * Integer.BYTES, range.count() * Integer.BYTES).fill(with);
        }
    }

    /// Where the host reaches the memory it does this by itself: it takes longer to wake the device's thread and to wait for it than to clear a few pages.
    private void zero(DeviceMemory target, long offsetBytes, long lengthBytes) {
        long host = target.hostAddressBytes();
        if (host == 0) {
            mirror.copies().zero(target, offsetBytes, lengthBytes).await();
        } else {
            MemorySegment.ofAddress(host + offsetBytes).reinterpret(lengthBytes).fill((byte) 0);
        }
    }

    /// What the kernel wrote down, which has ended and was waited for.
    public FaultRound endRound() {
        MemorySegment words = control.asSlice(0, TableLayout.CONTROL_WORDS * (long) Integer.BYTES);
        memory().read(0, words);
        long noted = Integer.toUnsignedLong(words.getAtIndex(JAVA_INT, TableLayout.FAULTS));
        return new FaultRound(words.getAtIndex(JAVA_INT, TableLayout.UNFINISHED) != 0, words.getAtIndex(JAVA_INT, TableLayout.PROGRESS) != 0,
                noted == 0 ? List.of() : faults((int) Math.min(noted, TableLayout.QUEUE_ENTRIES), Math.max(1, Integer.toUnsignedLong(words.getAtIndex(JAVA_INT, TableLayout.GROUP_SIZE)))),
                violation(words));
    }

    /// A kernel can write anything there: what cannot be is left out.
    private List<FaultRound.Fault> faults(int count, long groupSize) {
        MemorySegment queue = control.asSlice(TableLayout.QUEUE_AT * (long) Integer.BYTES, 2L * count * Integer.BYTES);
        memory().read(TableLayout.QUEUE_AT * (long) Integer.BYTES, queue);
        List<FaultRound.Fault> faults = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            long what = Integer.toUnsignedLong(queue.getAtIndex(JAVA_INT, 2L * i));
            if (what >>> 1 < layout.pageCount()) {
                long rank = Integer.toUnsignedLong(queue.getAtIndex(JAVA_INT, 2L * i + 1));
                faults.add(new FaultRound.Fault(what >>> 1, (what & 1) != 0, rank - rank % groupSize));
            }
        }
        return faults;
    }

    private static FaultRound.@Nullable Violation violation(MemorySegment words) {
        int kind = words.getAtIndex(JAVA_INT, TableLayout.VIOLATION);
        return kind == 0 ? null : new FaultRound.Violation(words.get(JAVA_LONG_UNALIGNED, TableLayout.VIOLATION_ADDRESS * (long) Integer.BYTES),
                (kind & TableLayout.MAY_WRITE) != 0, (kind & TableLayout.CROSSES_PAGE) != 0,
                words.get(JAVA_LONG_UNALIGNED, TableLayout.VIOLATION_ITEM * (long) Integer.BYTES));
    }

    /// What the gate has to do to the table for a launch.
    ///
    /// @param uses    pages that the kernel may ask for
    /// @param entries the same without overlaps: entries that are to be what the words allow
    /// @param cleared pages whose entries are to be zero
    public record Update(DeviceTable table, List<PageUse> uses, List<PageUse> entries, List<PageRange> cleared) {}

    /// The update for a launch that uses these pages and no others.
    public Update show(List<PageUse> uses) {
        assert turn.isHeldByCurrentThread();
        PageSet written = PageSet.of(uses.stream().filter(PageUse::writes).map(PageUse::pages).toList());
        List<PageUse> entries = new ArrayList<>();
        for (PageUse use : uses) {
            List<PageRange> pages = use.writes() ? List.of(use.pages()) : written.outside(use.pages());
            pages.forEach(range -> entries.add(new PageUse(range, use.writes())));
        }
        asked = uses.stream().map(PageUse::pages).toList();
        PageSet stays = PageSet.of(asked);
        List<PageRange> cleared = shown.stream().flatMap(range -> stays.outside(range).stream()).toList();
        List<PageRange> more = new ArrayList<>(cleared);
        more.addAll(asked);
        shown = more; // also if the launch does not happen
        return new Update(this, uses, entries, cleared);
    }

    /// Whether the round of the last update may write to a page that it may ask for. Takes nothing from the Java heap.
    public boolean isWritable(long page) {
        assert turn.isHeldByCurrentThread();
        return (image.segment().get(JAVA_INT, page * Integer.BYTES) & TableLayout.MAY_WRITE) != 0; // also if nobody knows what the device has
    }

    /// The launch of the last update has ended: all other entries are zero. If it ended badly, perhaps since entries have not arrived, nobody knows what they are.
    public void ended(boolean well) {
        assert turn.isHeldByCurrentThread();
        if (well) {
            shown = asked;
        } else {
            fillImage(UNKNOWN);
        }
    }

    /// Where native code finds what it needs to write entries: the image, the device's buffer, the first entry in it, and where the host reaches that (or 0).
    public record NativeTable(long image, long memory, long offsetBytes, long host) {}

    public NativeTable nativeTable() {
        long offset = layout.tableAt() * Integer.BYTES;
        long host = memory().hostAddressBytes();
        return new NativeTable(image.segment().address(), memory().nativeHandle(), offset, host == 0 ? 0 : host + offset);
    }

    /// Takes what kernels have touched since the last time: each such page of the range counts as used now, and `used` hears of it.
    public void harvest(PageRange range, LongConsumer used) {
        assert turn.isHeldByCurrentThread();
        long at = layout.touchedAt() * Integer.BYTES + 2 * range.first();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment touched = arena.allocate(2 * range.count());
            memory().read(at, touched);
            int now = mirror.tick();
            boolean any = false;
            for (long i = 0; i < range.count(); i++) {
                if (touched.get(JAVA_BYTE, 2 * i) != 0 || touched.get(JAVA_BYTE, 2 * i + 1) != 0) {
                    mirror.arrived(range.first() + i, now);
                    used.accept(range.first() + i);
                    any = true;
                }
            }
            if (any) {
                memory().write(at, touched.fill((byte) 0));
            }
        }
    }

    /// The entries of pages as the device has them now, for people and tests. No kernel may run that uses them.
    public List<Entry> entries(PageRange range) {
        List<Entry> entries = new ArrayList<>();
        DeviceMemory there = memory;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment table = arena.allocate(range.count() * Integer.BYTES, Integer.BYTES);
            MemorySegment touched = arena.allocate(2 * range.count());
            if (there != null) {
                there.read((layout.tableAt() + range.first()) * Integer.BYTES, table);
                there.read(layout.touchedAt() * Integer.BYTES + 2 * range.first(), touched);
            }
            for (long i = 0; i < range.count(); i++) {
                int entry = table.getAtIndex(JAVA_INT, i);
                boolean readable = (entry & TableLayout.MAY_READ) != 0;
                entries.add(new Entry(range.first() + i, readable ? entry >>> TableLayout.FRAME_SHIFT : -1, readable,
                        (entry & TableLayout.MAY_WRITE) != 0, touched.get(JAVA_BYTE, 2 * i) != 0, touched.get(JAVA_BYTE, 2 * i + 1) != 0));
            }
        }
        return entries;
    }

    /// What kernels take as `hmm_pages`.
    public DeviceMemory memory() {
        if (memory == null) {
            DeviceMemory fresh = mirror.device().tableMemory(layout.totalBytes());
            try {
                zero(fresh, 0, layout.totalBytes());
            } catch (RuntimeException | Error e) {
                fresh.close();
                throw e;
            }
            memory = fresh;
        }
        return memory;
    }

    @Override
    public void close() {
        try (LazyTable _ = image; DeviceMemory _ = memory) {
            memory = null;
            idleItems.forEach(DeviceMemory::close);
            idleItems.clear();
        }
    }
}
