package io.github.hmm4j.page;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.space.LazyTable;
import io.github.hmm4j.space.PageSize;
import io.github.hmm4j.space.Parts;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.Locale;
import java.util.function.LongUnaryOperator;

/// The words of all pages of an address space, off-heap: 8 bytes for each page that was ever touched.
///
/// Beside them a count for each block of 2 MiB: of the changes after which a device may do less with a page of it. Whoever
/// makes one says so before and after, so whoever has looked at all words of a block need not look again as long as its
/// count is the same and nobody is in the middle of a change. Native code does the same (`block.h`), and makes use of it.
///
/// As long as no word of a block was ever changed, the count says in its highest bits what all of them are: free to use, protected, or without a region. To change that for the
/// block is one compare-and-set, and its words need no memory. Who changes a word writes the block out first: that what it says goes into every word, unless it is 0, and the
/// block is *written*, for good. It takes any number of threads that do so at a time, and waits for none of them. A page of a block that is not written has no pin, no frame, no
/// mapping for the host, and no memory that [io.github.hmm4j.space.HostMemory] would know of: all of these come behind a change of its word, or after [#writeOut].
///
/// Threads: any, without a lock. A word changes only through [#transition] and [#settle], which check the change against the table of
/// [Transition], and through [#pin] and [#unpin].
public final class PageTable implements AutoCloseable {

    private static final VarHandle WORD = JAVA_LONG.varHandle();
    private static final long ONE_CHANGE = 1 << 16; // below it: how many threads are in the middle of one
    private static final long WRITTEN = 1L << 61; // each word is what it says; above it: PageWord.KIND
    private static final long IN_WRITING = 1L << 60; // the kind stays as it is until the block is written

    /// The numbers of a block's count, for comparing them with those of native code.
    public static final class Layout {

        public static final long ONE_CHANGE = PageTable.ONE_CHANGE;
        public static final long WRITTEN = PageTable.WRITTEN;
        public static final long IN_WRITING = PageTable.IN_WRITING;

        private Layout() {}
    }

    private final LazyTable memory;
    private final MemorySegment words;
    private final LazyTable changes; // by block
    private final long pageCount;
    private final int blockShift;

    public PageTable(long pageCount, PageSize pageSize) {
        this.pageCount = pageCount;
        blockShift = Integer.numberOfTrailingZeros(pageSize.pagesPerBlock());
        Parts parts = new Parts();
        try {
            memory = parts.add(new LazyTable(Math.multiplyExact(pageCount, Long.BYTES)));
            changes = parts.add(new LazyTable((blockOf(pageCount - 1) + 1) * Long.BYTES));
        } catch (RuntimeException | Error e) {
            parts.closeAfter(e);
            throw e;
        }
        words = memory.segment();
    }

    /// Of the number of pages in a block.
    public int blockShift() {
        return blockShift;
    }

    /// The block of 2 MiB that holds a page.
    public long blockOf(long pageIndex) {
        return pageIndex >> blockShift;
    }

    /// The first page of a block.
    public long firstOf(long block) {
        return block << blockShift;
    }

    public boolean isFirstOfBlock(long pageIndex) {
        return pageIndex == firstOf(blockOf(pageIndex));
    }

    /// Where the words are, for native code.
    public long addressBytes() {
        return words.address();
    }

    /// Where the counts are, for native code.
    public long changesAddressBytes() {
        return changes.segment().address();
    }

    /// Changes of a block of which devices have to know, and how many threads are in the middle of one: equal values
    /// without such threads mean that nothing was taken away in between.
    public long changes(long block) {
        return (long) WORD.getVolatile(changes.segment(), block * Long.BYTES);
    }

    public long pageCount() {
        return pageCount;
    }

    public long word(long pageIndex) {
        long word = (long) WORD.getAcquire(words, pageIndex * Long.BYTES);
        return word != 0 ? word : wordOfBlock(pageIndex);
    }

    /// It was 0 a moment ago. It is not any more if the block was written meanwhile and said something else.
    private long wordOfBlock(long pageIndex) {
        long count = changes(blockOf(pageIndex));
        return (count & WRITTEN) != 0 ? (long) WORD.getAcquire(words, pageIndex * Long.BYTES) : PageWord.ofKind(count);
    }

    /// The same for who goes over many pages: looks at the block first, so that words that were never written stay without memory.
    public long wordByBlock(long pageIndex) {
        long count = changes(blockOf(pageIndex));
        return (count & WRITTEN) != 0 ? (long) WORD.getAcquire(words, pageIndex * Long.BYTES) : PageWord.ofKind(count);
    }

    /// Whether the block that holds a page was written.
    public boolean isWritten(long pageIndex) {
        return (changes(blockOf(pageIndex)) & WRITTEN) != 0;
    }

    /// The first page from `page` on that lies in a block which was written, or `end`.
    public long writtenFrom(long page, long end) {
        return firstFrom(page, end, true);
    }

    /// The first page from `page` on that lies in a block which was never written, or `end`.
    public long unwrittenFrom(long page, long end) {
        return firstFrom(page, end, false);
    }

    private long firstFrom(long page, long end, boolean written) {
        long at = page;
        while (at < end && isWritten(at) != written) {
            at = firstOf(blockOf(at) + 1);
        }
        return Math.min(at, end);
    }

    /// Changes all words of the block that begins with `page`, if it ends by `end` and was never written.
    ///
    /// @param word one of the `unwritten` ones of [PageWord]
    /// @return the end of the block; `page` if nothing was changed
    public long setBlock(long page, long end, long word) {
        long block = blockOf(page);
        long next = firstOf(block + 1);
        if (page != firstOf(block) || next > end) {
            return page;
        }
        while (true) {
            long count = changes(block);
            if ((count & (WRITTEN | IN_WRITING)) != 0) {
                return page;
            }
            if (WORD.compareAndSet(changes.segment(), block * Long.BYTES, count, (count & ~PageWord.KIND) | (word & PageWord.KIND))) {
                return next;
            }
        }
    }

    /// From now on each word of the block that holds a page stands for itself.
    public void writeOut(long pageIndex) {
        long block = blockOf(pageIndex);
        long count = changes(block);
        while ((count & WRITTEN) == 0) {
            long next;
            if ((count & PageWord.KIND) != 0 && (count & IN_WRITING) == 0) {
                next = count | IN_WRITING;
            } else {
                writeOut(block, PageWord.ofKind(count));
                next = (count & ~(PageWord.KIND | IN_WRITING)) | WRITTEN;
            }
            WORD.compareAndSet(changes.segment(), block * Long.BYTES, count, next);
            count = changes(block);
        }
    }

    private void writeOut(long block, long word) {
        long end = Math.min(firstOf(block + 1), pageCount);
        for (long page = firstOf(block); word != 0 && page < end; page++) {
            WORD.compareAndSet(words, page * Long.BYTES, 0L, word);
        }
    }

    public PageState state(long pageIndex) {
        return PageWord.state(word(pageIndex));
    }

    /// Changes a page from `expected` to `next`, unless somebody else was quicker.
    ///
    /// @param expected a word read from this page
    /// @param next     what it shall be, made from `expected` by the methods of [PageWord]
    /// @return whether it was done
    /// @throws IllegalStateException if the table of transitions does not know this change: a mistake of ours, never of the program's
    public boolean transition(long pageIndex, Transition transition, long expected, long next) {
        if (!transition.allows(PageWord.state(expected), PageWord.state(next))) {
            throw new IllegalStateException(String.format(Locale.ROOT, "impossible transition: page=%d, %s, %s -> %s",
                    pageIndex, transition, PageWord.describe(expected), PageWord.describe(next)));
        }
        assert !PageWord.isSameVersion(expected, next) : "a transition must change the version: " + transition;
        return change(pageIndex, expected, next);
    }

    private boolean change(long pageIndex, long expected, long next) {
        if (expected == PageWord.ofKind(expected)) {
            long now = changes(blockOf(pageIndex));
            if ((now & WRITTEN) == 0 && expected != PageWord.ofKind(now)) {
                return false;
            }
            writeOut(pageIndex);
        }
        boolean takes = (PageWord.rights(expected) & ~PageWord.rights(next)) != 0;
        long count = blockOf(pageIndex) * Long.BYTES;
        if (takes) {
            WORD.getAndAdd(changes.segment(), count, 1L);
        }
        boolean changed = WORD.compareAndSet(words, pageIndex * Long.BYTES, expected, next);
        if (takes) {
            WORD.getAndAdd(changes.segment(), count, ONE_CHANGE - 1);
        }
        return changed;
    }

    /// Ends a claim: like [#transition], but views that opened or closed meanwhile, which the claim allows, do not count as a change.
    ///
    /// @param claim the word with which the claim was made
    /// @param next  makes the next word from the present one
    /// @return whether it was done; if not, the claim had been taken away
    public boolean settle(long pageIndex, Transition transition, long claim, LongUnaryOperator next) {
        while (true) {
            long word = word(pageIndex);
            if (!PageWord.isSameVersion(word, claim)) {
                return false;
            }
            if (transition(pageIndex, transition, word, next.applyAsLong(word))) {
                return true;
            }
        }
    }

    /// What a claimed page becomes.
    @FunctionalInterface
    public interface Settlement {

        /// @param word   the present one
        /// @param before the one from before the claim
        long next(long word, long before);
    }

    /// The same for a settlement that depends on what the page was; it is made once and takes no memory here, so that a claim can be ended when the Java heap is full.
    public boolean settle(long pageIndex, Transition transition, long claim, long before, Settlement settlement) {
        while (true) {
            long word = word(pageIndex);
            if (!PageWord.isSameVersion(word, claim)) {
                return false;
            }
            if (transition(pageIndex, transition, word, settlement.next(word, before))) {
                return true;
            }
        }
    }

    /// Counts one more view of a page in its word, unless the word is no longer `expected`.
    public boolean pin(long pageIndex, long expected, boolean write) {
        return change(pageIndex, expected, PageWord.pinned(expected, write));
    }

    /// Counts one view less.
    public void unpin(long pageIndex, boolean write) {
        long word;
        do {
            word = word(pageIndex);
        } while (!change(pageIndex, word, PageWord.unpinned(word, write)));
    }

    @Override
    public void close() {
        memory.close();
        changes.close();
    }
}
