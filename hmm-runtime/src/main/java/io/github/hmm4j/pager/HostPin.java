package io.github.hmm4j.pager;

import io.github.hmm4j.space.PageRange;

/// Managed memory that stays on the host, mapped, until this is closed: what a system call or a driver can be given the address of, on every rung.
///
/// A write pin keeps devices from using the pages at all, a read pin from writing them. Threads: any. Closing is idempotent.
public final class HostPin implements AutoCloseable {

    private final CheckedPager pager;
    private final PageRange pages;
    private final boolean write;
    private boolean closed;

    HostPin(CheckedPager pager, PageRange pages, boolean write) {
        this.pager = pager;
        this.pages = pages;
        this.write = write;
    }

    PageRange pages() {
        return pages;
    }

    boolean isWrite() {
        return write;
    }

    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        pager.unpinned(this);
    }
}
