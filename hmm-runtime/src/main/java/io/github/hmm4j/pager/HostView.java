package io.github.hmm4j.pager;

import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.VaRange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Managed memory that the host may touch until the view is closed: its pages are on the host and stay there.
///
/// While it is open, devices may read pages of a read view, and may not use pages of a write view at all. Views may overlap and nest. A view stands for whole pages,
/// so neighbours on its first and last page are held too.
///
/// Owns the pins; [#close()] gives them back and ends every segment that came from [#segment()]. Threads: an ordinary view belongs to the thread that opened it; a shared one to all.
public final class HostView implements AutoCloseable {

    private final HostViews views;
    private final VaRange range;
    private final PageRange pages;
    private final boolean write;
    private final boolean shared;
    private final Arena arena;
    private final MemorySegment segment;
    private final Thread opener = Thread.currentThread();
    private boolean closed;

    HostView(HostViews views, VaRange range, PageRange pages, boolean write, boolean shared, Arena arena, MemorySegment segment) {
        this.views = views;
        this.range = range;
        this.pages = pages;
        this.write = write;
        this.shared = shared;
        this.arena = arena;
        this.segment = segment;
    }

    /// The bytes, read-only for a read view. Offset 0 is the first byte of the range; the address of the segment is **not** the managed address that kernels see, [#addressOf] is.
    public MemorySegment segment() {
        return segment;
    }

    /// The managed address of a byte of this view: the pointer to store in data that a kernel will follow.
    public long addressOf(long offsetBytes) {
        if (offsetBytes < 0 || offsetBytes > range.lengthBytes()) {
            throw new IndexOutOfBoundsException("offsetBytes=" + offsetBytes + ", lengthBytes=" + range.lengthBytes());
        }
        return range.startBytes() + offsetBytes;
    }

    public VaRange range() {
        return range;
    }

    public boolean isWrite() {
        return write;
    }

    PageRange pages() {
        return pages;
    }

    /// Whether nobody but this thread can close it.
    boolean belongsTo(Thread thread) {
        return !shared && opener.equals(thread);
    }

    boolean conflictsWith(PageRange others, boolean writes) {
        return (write || writes) && pages.overlaps(others);
    }

    /// Ends the view. Idempotent.
    ///
    /// @throws WrongThreadException  if it belongs to another thread; it stays open
    /// @throws IllegalStateException if a shared view is in use by a native call; it stays open
    @Override
    public void close() {
        synchronized (this) { // so that one of two threads that close a shared view does nothing
            if (closed) {
                return;
            }
            arena.close();
            closed = true;
        }
        views.closed(this);
    }

    /// For people: what, how, by whom.
    @Override
    public String toString() {
        return "%s%s view of %s opened by thread \"%s\"".formatted(shared ? "shared " : "", write ? "write" : "read", range, opener.getName());
    }
}
