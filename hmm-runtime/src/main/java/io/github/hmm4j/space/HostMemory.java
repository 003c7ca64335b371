package io.github.hmm4j.space;

import io.github.hmm4j.error.HostMemoryExhaustedException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/// The host side of every page: one file in memory, and two places in the address space that stand for it. What a page's memory is, and that it begins as zeros, is known here
/// and in `memory.c`, and nowhere else: others ask where a page's bytes are ([#addressOf]), that there is memory behind them ([#give]), or that it go ([#release]).
///
/// - **app** is what the program's pointers point to. Nothing is mapped there in checked access, so a stray touch can never read stale bytes.
/// - **alias** is the runtime's own mapping of the file, readable and writable at all times, and the only one ever given to a driver or to I/O.
///
/// Both start at a multiple of 2 MiB. Memory is paid for when it is first written, and given back by [#release]; [#retire] keeps a little of it for the next allocation.
///
/// A touch of a file in memory that gets none is a signal, and ends the process if a driver meets it. So whoever is
/// about to touch pages of the alias that may have no memory yet, or to let a driver do so, gives it to them first
/// ([#give]), and has an error to tell. A table that native code shares says which pages need not be asked for.
///
/// Where kernels work only in what their driver has allocated, that is the alias ([HostBlock]), and there is no file. So nothing can be mapped a second time, which only checked access can do without; all memory is there from the start, and what others give back is
/// written with zeros. `memory.c` knows it by a descriptor below zero.
public final class HostMemory implements AutoCloseable {

    private static final int ALIGNMENT_BYTES = PageSize.MAX_BYTES;

    private static final VarHandle BACKED = ValueLayout.JAVA_LONG.varHandle();

    private final long lengthBytes;
    private final PageSize pageSize;
    private final LazyTable backed; // a bit for each page, set where it has memory for sure
    private final int fd;
    private final Reservation app;
    private final Reservation alias; // nothing where there is a block
    private final @Nullable HostBlock block;
    private final MemorySegment aliasSegment;
    private final SparePages spare = new SparePages(this::releaseBytes);
    private boolean closed;

    /// @throws io.github.hmm4j.error.HmmException if the operating system refuses; nothing is left then
    ///
    /// @param source who allocates it; null: it is a file of ours
    HostMemory(long lengthBytes, PageSize pageSize, HostBlock.@Nullable Source source) {
        this.lengthBytes = lengthBytes;
        this.pageSize = pageSize;
        Parts parts = new Parts();
        try {
            backed = parts.add(new LazyTable((pageSize.pagesFor(lengthBytes) / Long.SIZE + 1) * Long.BYTES));
            app = parts.add(new Reservation());
            app.reserve(lengthBytes);
            alias = parts.add(new Reservation());
            if (source == null) {
                block = null;
                Descriptor file = parts.add(new Descriptor());
                file.number = SystemCalls.memfd("hmm-heap", lengthBytes);
                fd = file.number;
                alias.reserve(lengthBytes);
                SystemCalls.mmap(alias.startBytes, lengthBytes, SystemCalls.PROT_READ_WRITE,
                        SystemCalls.MAP_SHARED | SystemCalls.MAP_FIXED | SystemCalls.MAP_NORESERVE, fd, 0);
                SystemCalls.dontFork(alias.startBytes, lengthBytes);
            } else {
                fd = -1;
                block = parts.add(source.allocate(lengthBytes));
                alias.startBytes = block.addressBytes(); // what it is to a child process is the driver's business
            }
            aliasSegment = MemorySegment.ofAddress(alias.startBytes).reinterpret(lengthBytes);
            if (block != null) {
                writeZeros(0, lengthBytes);
            }
        } catch (RuntimeException | Error e) {
            parts.closeAfter(e);
            throw e;
        }
    }

    /// First address of the program's pointers.
    public long appAddressBytes() {
        return app.startBytes;
    }

    /// Where the runtime finds the bytes of a page. Pages that follow each other do so there.
    public long addressOf(long page) {
        return alias.startBytes + pageSize.offsetOf(page);
    }

    /// The runtime's own mapping; offset 0 is the same byte as the first address of `app`.
    public MemorySegment alias() {
        return aliasSegment;
    }

    public long lengthBytes() {
        return lengthBytes;
    }

    /// The memory that somebody else has allocated; empty if it is a file of ours.
    public Optional<HostBlock> block() {
        return Optional.ofNullable(block);
    }

    /// Descriptor of the file, for native code that maps it at [#appAddressBytes()]; below zero if there is none.
    public int descriptor() {
        return fd;
    }

    /// Which pages have memory for sure: one bit each. Whoever takes memory away clears them before; whoever sets them
    /// keeps others from doing that.
    public long backedAddressBytes() {
        return backed.segment().address();
    }

    /// Gives memory to the pages of this range, as far as they may have none.
    ///
    /// @return whether there were any
    /// @throws HostMemoryExhaustedException if there is none; some may have got it then
    public boolean give(PageRange pages) {
        boolean any = false;
        long page = pages.first();
        while (page < pages.end()) {
            long end = page;
            while (end < pages.end() && !isBacked(end)) {
                end++;
            }
            if (end > page) {
                give(page, end);
                any = true;
            }
            page = end + 1;
        }
        return any;
    }

    private void give(long first, long end) {
        if (block != null) {
            return;
        }
        long offset = slotOf(first);
        long length = pageSize.bytesFor(end - first);
        if (!SystemCalls.populate(addressOf(first), fd, offset, length)) {
            throw new HostMemoryExhaustedException("host pages", app.startBytes + offset, length);
        }
    }

    /// Remembers that these pages have memory. Whoever says so keeps it from being taken away, by a claim, a pin or a
    /// lock.
    public void noteBacked(PageRange pages) {
        noteBacked(pages.first(), pages.end());
    }

    private void noteBacked(long first, long end) {
        for (long page = first; page < end; page = nextWord(page)) {
            BACKED.getAndBitwiseOr(backed.segment(), wordOf(page), bits(page, end));
        }
    }

    private static long wordOf(long page) {
        return page / Long.SIZE * Long.BYTES;
    }

    private static long nextWord(long page) {
        return (page / Long.SIZE + 1) * Long.SIZE;
    }

    /// Of a page and those behind it, as far as they are in its word.
    private static long bits(long page, long end) {
        return -1L >>> (Long.SIZE - (Math.min(end, nextWord(page)) - page)) << page;
    }

    /// Remembers that these pages have memory, for one who has no such hold on them: `stillMine` says so in the end, and
    /// whoever takes memory away makes it false before. What is not any more is forgotten.
    public void noteBacked(PageRange pages, LongPredicate stillMine) {
        noteBacked(pages);
        VarHandle.fullFence(); // noted before it is asked
        for (long page = pages.first(); page < pages.end(); page++) {
            if (!stillMine.test(page)) {
                forgetBacked(page, page + 1);
            }
        }
    }

    /// Whether a page is known to have memory.
    public boolean isBacked(long page) {
        return ((long) BACKED.getOpaque(backed.segment(), wordOf(page)) >>> page & 1) != 0;
    }

    /// Whether all of these pages are.
    public boolean isBacked(PageRange pages) {
        long page = pages.first();
        while (page < pages.end() && isBacked(page)) {
            page++;
        }
        return page == pages.end();
    }

    /// Where in the file the memory of a page is; of pages that follow each other it does so.
    private long slotOf(long page) {
        return pageSize.offsetOf(page);
    }

    /// Gives the memory of these pages back to the operating system; they read as zeros afterwards.
    public void release(PageRange pages) {
        if (!pages.isEmpty()) {
            forgetBacked(pages.first(), pages.end());
            releaseForgotten(pages);
        }
    }

    private void releaseBytes(long offsetBytes, long releasedBytes) {
        release(new PageRange(pageSize.pageOf(offsetBytes), pageSize.pageOf(offsetBytes + releasedBytes)));
    }

    /// Nothing is known of these pages any more; the first half of [#release], for one who knows where there is something to forget.
    public void forgetBacked(long first, long end) {
        for (long page = first; page < end; page = nextWord(page)) {
            long bits = bits(page, end);
            if (((long) BACKED.getOpaque(backed.segment(), wordOf(page)) & bits) != 0) { // most never were, and the table itself costs memory where it is written
                BACKED.getAndBitwiseAnd(backed.segment(), wordOf(page), ~bits);
            }
        }
    }

    /// The other half.
    public void releaseForgotten(PageRange pages) {
        if (block != null) {
            writeZeros(slotOf(pages.first()), slotOf(pages.end()));
        } else {
            SystemCalls.punchHole(fd, slotOf(pages.first()), pageSize.bytesFor(pages.count()));
        }
    }

    /// Like [#release], for pages that were freed and have memory: it may be kept, zeroed, for whoever allocates them next.
    ///
    /// @return whether it was kept
    public synchronized boolean retire(PageRange pages) {
        if (block != null || !SparePages.fits(pageSize.bytesFor(pages.count()))) {
            release(pages);
            return false;
        }
        try {
            zero(pages);
        } catch (HostMemoryExhaustedException e) {
            release(pages); // not all of it was there
            return false;
        }
        try {
            spare.add(pageSize.offsetOf(pages.first()), pageSize.bytesFor(pages.count()));
            return true;
        } catch (OutOfMemoryError e) {
            return false; // nobody knows that there is memory to give back; who allocates it finds zeros
        }
    }

    /// Makes these pages read as zeros by writing them. Takes nothing from the Java heap.
    ///
    /// @throws HostMemoryExhaustedException if they had no memory and there is none; nothing is written then
    private void zero(PageRange pages) {
        give(pages);
        noteBacked(pages.first(), pages.end());
        writeZeros(pageSize.offsetOf(pages.first()), pageSize.offsetOf(pages.end()));
    }

    private void writeZeros(long fromBytes, long endBytes) {
        SystemCalls.clear(alias.startBytes + fromBytes, endBytes - fromBytes);
    }

    /// These pages are allocated again.
    synchronized void reuse(PageRange pages) {
        spare.remove(pageSize.offsetOf(pages.first()), pageSize.bytesFor(pages.count()));
    }

    /// Bytes of freed memory that are kept at the moment.
    public synchronized long spareBytes() {
        return spare.totalBytes();
    }

    /// Nobody may touch either mapping afterwards.
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            app.close();
            alias.close();
            if (fd >= 0) {
                SystemCalls.close(fd);
            }
            backed.close();
        }
        if (block != null) {
            block.close(); // by the next call, where the Java heap was full
        }
    }

    /// Of a file. Like the reservation it is made before what it closes is opened: the Java heap may be full in
    /// between.
    private static final class Descriptor implements AutoCloseable {

        private int number = -1;

        @Override
        public void close() {
            if (number >= 0) {
                SystemCalls.close(number);
            }
        }
    }

    /// Address space that belongs to us but to which nothing is mapped.
    private static final class Reservation implements AutoCloseable {

        private long mappedBytes;
        private long mappedLengthBytes;
        private long startBytes;

        void reserve(long lengthBytes) {
            int flags = SystemCalls.MAP_PRIVATE | SystemCalls.MAP_ANONYMOUS | SystemCalls.MAP_NORESERVE;
            mappedBytes = SystemCalls.mmap(0, lengthBytes + ALIGNMENT_BYTES, SystemCalls.PROT_NONE, flags, -1, 0);
            mappedLengthBytes = lengthBytes + ALIGNMENT_BYTES;
            startBytes = (mappedBytes + ALIGNMENT_BYTES - 1) & -ALIGNMENT_BYTES;
        }

        @Override
        public void close() {
            if (mappedLengthBytes > 0) {
                SystemCalls.munmap(mappedBytes, mappedLengthBytes);
            }
        }
    }
}
