package io.github.hmm4j.pager;

import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.VaRange;

/// Managed memory that stays on the host, mapped, until this is closed: what a system call or a driver can be given the address of, on every rung.
///
/// A write pin keeps devices from using the pages at all, a read pin from writing them. Threads: any. Closing is idempotent.
public final class HostPin implements AutoCloseable {

    private final HostViews views;
    private final VaRange range;
    private final PageRange pages;
    private final boolean write;
    private boolean closed;

    HostPin(HostViews views, VaRange range, PageRange pages, boolean write) {
        this.views = views;
        this.range = range;
        this.pages = pages;
        this.write = write;
    }

    PageRange pages() {
        return pages;
    }

    boolean isWrite() {
        return write;
    }

    boolean conflictsWith(PageRange others, boolean writes) {
        return (write || writes) && pages.overlaps(others);
    }

    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        views.unpinned(this);
    }

    /// For people: what and how.
    @Override
    public String toString() {
        return "%s pin of %s".formatted(write ? "write" : "read", range);
    }
}
