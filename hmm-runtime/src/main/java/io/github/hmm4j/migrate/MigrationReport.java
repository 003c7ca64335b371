package io.github.hmm4j.migrate;

import io.github.hmm4j.space.PageRange;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.StringJoiner;

/// What one migration did, page by page. Immutable once returned.
public final class MigrationReport {

    private final PageRange pages;
    private final byte[] outcomes;
    private long bytesCopied;

    /// A report in which nothing has happened yet.
    public MigrationReport(PageRange pages) {
        this.pages = pages;
        outcomes = new byte[Math.toIntExact(pages.count())];
        Arrays.fill(outcomes, (byte) PageOutcome.RACED.ordinal());
    }

    /// Says what native code did. Takes nothing from the Java heap.
    ///
    /// @param codes one byte for each page: 1 it was there, 2 it moved, all else that there was nothing to bring
    public void set(MemorySegment codes, long bytesCopied) {
        for (int i = 0; i < outcomes.length; i++) {
            PageOutcome outcome = switch (codes.get(ValueLayout.JAVA_BYTE, i)) {
                case 1 -> PageOutcome.ALREADY;
                case 2 -> PageOutcome.MOVED;
                default -> PageOutcome.POISONED;
            };
            outcomes[i] = (byte) outcome.ordinal();
        }
        this.bytesCopied = bytesCopied;
    }

    void set(long page, PageOutcome outcome) {
        outcomes[(int) (page - pages.first())] = (byte) outcome.ordinal();
    }

    /// The same for all pages from `first` to before `end`.
    void set(long first, long end, PageOutcome outcome) {
        Arrays.fill(outcomes, (int) (first - pages.first()), (int) (end - pages.first()), (byte) outcome.ordinal());
    }

    void addBytesCopied(long bytes) {
        bytesCopied += bytes;
    }

    public PageRange pages() {
        return pages;
    }

    /// Outcome of a page by its index in the address space.
    public PageOutcome outcome(long pageIndex) {
        return PageOutcome.of(outcomes[Math.toIntExact(pageIndex - pages.first())]);
    }

    public long count(PageOutcome outcome) {
        long count = 0;
        for (byte code : outcomes) {
            if (code == outcome.ordinal()) {
                count++;
            }
        }
        return count;
    }

    /// Whether every page is now where it was wanted.
    public boolean allResident() {
        return count(PageOutcome.ALREADY) + count(PageOutcome.MOVED) == outcomes.length;
    }

    /// Bytes that crossed; pages that were empty, dead or already there cost none.
    public long bytesCopied() {
        return bytesCopied;
    }

    /// For people: `64 pages: 60 MOVED, 4 PINNED; 3932160 bytes copied`.
    @Override
    public String toString() {
        StringJoiner text = new StringJoiner(", ", outcomes.length + " pages: ", "; " + bytesCopied + " bytes copied");
        for (PageOutcome outcome : PageOutcome.values()) {
            long count = count(outcome);
            if (count > 0) {
                text.add(count + " " + outcome);
            }
        }
        return text.toString();
    }
}
