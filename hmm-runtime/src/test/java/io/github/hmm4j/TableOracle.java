package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.DeviceTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.space.PageRange;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/// What the page table in a device's own memory must say, for a test that uses the heap in one thread and asks after each of its steps.
///
/// The table is derived from the page words when a round of a launch goes through its gate, and by nothing else. So:
/// - **After such a launch** nothing has happened to any word since its last round went through the gate. Of its ranges an entry says what word and frame of its page say: it names the frame if that is one of
///   the paged chunk, and the word lets this device read; it may be written if the word lets it, and the launch has said that it writes there; a view stands in the way of either. All other entries are
///   zero, whatever the words say, also those of the launch before.
/// - **After everything else** the table is as that launch has left it. Words and frames change, and entries become stale; nobody trusts a stale one, since the next launch makes those of its ranges anew,
///   and clears the others.
/// - **Of a launch that failed** nobody knows how far it came: what is not zero is of its ranges, or as it was.
/// - **What kernels have touched** (accessed, dirty) is what they ask for on pages that are there, which the test knows, until the host takes it. The host takes it, of the launch's ranges, when it needs to
///   know who was used least, or whether what came along was used: never in a launch that missed nothing, which adds exactly its own. In others what they and earlier ones have touched is all there can be.
public final class TableOracle {

    /// What a launch may ask for, or has asked for.
    public record Use(MemorySegment segment, boolean writes) {}

    private final Hmm hmm;
    private final DeviceMirror mirror;
    private final DeviceTable table;
    private List<DeviceTable.Entry> entries;
    private long rounds;

    public TableOracle(Hmm hmm, HmmDevice device) {
        this.hmm = hmm;
        mirror = device.mirrorIn(hmm.pages());
        table = Objects.requireNonNull(mirror.deviceTable());
        entries = entries();
    }

    private List<DeviceTable.Entry> entries() {
        table.turn().lock();
        try {
            return table.entries(new PageRange(0, hmm.pages().space().pageCount()));
        } finally {
            table.turn().unlock();
        }
    }

    /// Before each launch that goes through the table.
    public void launching() {
        rounds = hmm.report().count(Counter.DEVICE_FAULT_ROUNDS);
    }

    /// After one that has ended well.
    ///
    /// @param ranges  what it said it may ask for
    /// @param touched what it has asked for
    public void launched(List<Use> ranges, List<Use> touched) {
        List<DeviceTable.Entry> before = entries;
        entries = entries();
        BitSet asked = pages(ranges, false);
        BitSet written = pages(ranges, true);
        Set<Integer> frames = new HashSet<>();
        for (DeviceTable.Entry entry : entries) {
            int page = (int) entry.page();
            int frame = asked.get(page) ? frameFor(page) : -1;
            boolean writable = frame >= 0 && written.get(page) && mayWrite(page);
            assertThat(List.of(entry.frame(), entry.readable(), entry.writable())).as("frame, readable, writable of page %d: %s", page, says(page)).isEqualTo(List.of(frame, frame >= 0, writable));
            assertThat(frame < 0 || frames.add(frame)).as("frame %d is of one page", frame).isTrue();
        }
        boolean missedNothing = hmm.report().count(Counter.DEVICE_FAULT_ROUNDS) == rounds;
        checkTouched(before, asked, pages(touched, true), reads(touched), missedNothing);
    }

    /// Where in the memory that kernels get the page is that they may read; -1: nowhere.
    private int frameFor(int page) {
        long word = hmm.pages().table().word(page);
        boolean may = PageWord.isReadableOn(word, mirror.index()) && PageWord.isReadable(word) && PageWord.writePins(word) == 0;
        return may && mirror.isPaged(page) ? mirror.frameOf(page) - mirror.pool().pagedFrames().first() : -1;
    }

    private boolean mayWrite(int page) {
        long word = hmm.pages().table().word(page);
        return PageWord.isOwnedBy(word, mirror.index()) && PageWord.isWritable(word) && PageWord.readPins(word) == 0;
    }

    private String says(int page) {
        return PageWord.describe(hmm.pages().table().word(page)) + ", frame " + mirror.frameOf(page) + " of chunk " + mirror.pool().pagedFrames();
    }

    private void checkTouched(List<DeviceTable.Entry> before, BitSet asked, BitSet written, BitSet read, boolean missedNothing) {
        for (DeviceTable.Entry entry : entries) {
            int page = (int) entry.page();
            boolean accessed = before.get(page).accessed() || read.get(page);
            boolean dirty = before.get(page).dirty() || written.get(page);
            if (missedNothing || !asked.get(page)) {
                assertThat(List.of(entry.accessed(), entry.dirty())).as("accessed, dirty of page %d", page).isEqualTo(List.of(accessed, dirty));
            } else {
                assertThat(!entry.accessed() || accessed).as("page %d, which nobody has read, is accessed", page).isTrue();
                assertThat(!entry.dirty() || dirty).as("page %d, which nobody has written, is dirty", page).isTrue();
            }
        }
    }

    /// After one that was refused, or that ended with an error.
    public void failed(List<Use> ranges) {
        List<DeviceTable.Entry> before = entries;
        entries = entries();
        BitSet asked = pages(ranges, false);
        for (DeviceTable.Entry entry : entries) {
            int page = (int) entry.page();
            boolean asBefore = entry.equals(before.get(page));
            assertThat(asBefore || asked.get(page) || !entry.readable()).as("page %d, which the launch does not name, has an entry", page).isTrue();
        }
    }

    /// After all that is not such a launch.
    public void nothingLaunched() {
        assertThat(entries()).as("entries that no launch has changed").isEqualTo(entries);
    }

    private BitSet reads(List<Use> uses) {
        return pages(uses.stream().filter(use -> !use.writes()).toList(), false);
    }

    private BitSet pages(List<Use> uses, boolean onlyWritten) {
        BitSet pages = new BitSet();
        long pageBytes = mirror.pageBytes();
        long base = hmm.pages().space().baseBytes();
        for (Use use : uses) {
            if (use.writes() || !onlyWritten) {
                long first = (use.segment().address() - base) / pageBytes;
                long end = Math.ceilDiv(use.segment().address() + use.segment().byteSize() - base, pageBytes);
                pages.set((int) first, (int) end);
            }
        }
        return pages;
    }
}
