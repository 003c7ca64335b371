package io.github.hmm4j.pager;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.migrate.HostSide;
import io.github.hmm4j.migrate.MigrationReport;
import io.github.hmm4j.migrate.PageOutcome;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.PageUse;
import io.github.hmm4j.space.AddressSpace;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.VaRange;
import io.github.hmm4j.timeline.FetchEvent;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/// Opens views and pins, knows which are open, and lets launches wait for them.
///
/// Threads: any.
public final class HostViews {

    private static final PageRange NO_PAGES = new PageRange(0, 0);

    private final ManagedPages heap;
    private final HostSide hostSide;
    private final Set<HostView> open = ConcurrentHashMap.newKeySet();
    private final Set<HostPin> pins = ConcurrentHashMap.newKeySet();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition viewClosed = lock.newCondition();
    private long closedCount;
    private boolean ending;

    public HostViews(ManagedPages heap, HostSide hostSide) {
        this.heap = heap;
        this.hostSide = hostSide;
    }

    /// Brings a range home and opens it.
    ///
    /// @param write  whether the view can be written to; a read view leaves devices their copies
    /// @param shared whether all threads may use and close it, or only the one that opens it; closing a shared view costs a handshake with every thread
    /// @throws IllegalArgumentException                             if the range is empty or not within one region
    /// @throws io.github.hmm4j.error.AccessViolationException if the protection forbids it
    public HostView view(VaRange range, boolean write, boolean shared) {
        AddressSpace space = heap.space();
        space.regionOf(range);
        PageRange pages = space.pagesOf(range);
        Arena arena = shared ? Arena.ofShared() : Arena.ofConfined();
        MemorySegment bytes = MemorySegment.ofAddress(space.aliasAddressOf(range.startBytes()))
                .reinterpret(range.lengthBytes(), arena, null);
        HostView view = new HostView(this, range, pages, write, shared, arena, write ? bytes : bytes.asReadOnly());
        try {
            open.add(view); // before it has its pages: once it has, nothing may fail
            fetch(range, pages, write, Cause.VIEW);
        } catch (RuntimeException | Error e) {
            open.remove(view);
            arena.close();
            pagesLetGo(); // a launch may be waiting for pages that it held meanwhile
            throw e;
        }
        heap.accounts().increment(Counter.VIEWS_OPENED);
        return view;
    }

    /// A view of an empty segment, which holds nothing: no page, no launch, and not its heap.
    ///
    /// @param where empty
    public HostView viewOfNothing(VaRange where, boolean write, boolean shared) {
        Arena arena = shared ? Arena.ofShared() : Arena.ofConfined();
        MemorySegment nothing = MemorySegment.ofAddress(where.startBytes()).reinterpret(0, arena, null);
        MemorySegment bytes = write ? nothing : nothing.asReadOnly();
        return new HostView(this, where, NO_PAGES, write, shared, arena, bytes);
    }

    /// A pin of an empty segment, which holds nothing, as such a view.
    ///
    /// @param where empty
    public HostPin pinOfNothing(VaRange where, boolean write) {
        return new HostPin(this, where, NO_PAGES, write);
    }

    /// Brings a range home, maps it where the program's pointers point to, and keeps it there.
    ///
    /// @throws IllegalArgumentException                             if the range is empty or not within one region
    /// @throws io.github.hmm4j.error.AccessViolationException if the protection forbids it
    public HostPin pin(VaRange range, boolean write) {
        heap.space().regionOf(range);
        PageRange pages = heap.space().pagesOf(range);
        HostPin pin = new HostPin(this, range, pages, write);
        try {
            pins.add(pin); // as for a view
            fetch(range, pages, write, Cause.PIN);
        } catch (RuntimeException | Error e) {
            pins.remove(pin);
            pagesLetGo();
            throw e;
        }
        return pin;
    }

    private void fetch(VaRange range, PageRange pages, boolean write, Cause cause) {
        HostSide.Access access = write ? HostSide.Access.WRITE_VIEW : HostSide.Access.READ_VIEW;
        FetchEvent event = heap.timeline().fetch();
        if (event == null) {
            hostSide.fetch(pages, access, cause);
            return;
        }
        event.of(cause == Cause.PIN, write, pages.first(), pages.count(), range.startBytes());
        MigrationReport report = hostSide.fetch(pages, access, cause);
        event.fetched(report.count(PageOutcome.MOVED), report.bytesCopied());
        heap.timeline().end(event);
    }

    void unpinned(HostPin pin) {
        if (pin.pages().isEmpty()) {
            return; // its heap may be gone
        }
        hostSide.unpin(pin.pages(), pin.isWrite());
        pins.remove(pin);
        pagesLetGo();
    }

    void closed(HostView view) {
        if (view.pages().isEmpty()) {
            return;
        }
        hostSide.unpin(view.pages(), view.isWrite()); // before it counts as closed: the heap goes when no view is open
        open.remove(view);
        pagesLetGo();
    }

    private void pagesLetGo() {
        lock.lock();
        try {
            closedCount++;
            viewClosed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// The views and pins that are open now, for people.
    public List<String> open() {
        return Stream.concat(open.stream(), pins.stream()).map(Object::toString).toList();
    }

    /// A view that only the calling thread can close, and that a launch of it would wait for, for ever. A shared view can be closed by another thread meanwhile.
    public Optional<HostView> ownConflict(List<PageUse> uses) {
        return open.isEmpty() ? Optional.empty() : conflict(uses, Thread.currentThread());
    }

    /// A view or pin of any thread that keeps pages from a launch, for people.
    public Optional<String> conflict(List<PageUse> uses) {
        Stream<String> views = open.stream().filter(view -> conflicts(view, uses)).map(HostView::toString);
        Stream<String> pinned = pins.stream().filter(pin -> uses.stream().anyMatch(use -> pin.conflictsWith(use.pages(), use.writes()))).map(HostPin::toString);
        return Stream.concat(views, pinned).findFirst();
    }

    private Optional<HostView> conflict(List<PageUse> uses, Thread owner) {
        for (HostView view : open) {
            if (view.belongsTo(owner) && conflicts(view, uses)) {
                return Optional.of(view);
            }
        }
        return Optional.empty();
    }

    private static boolean conflicts(HostView view, List<PageUse> uses) {
        for (PageUse use : uses) {
            if (view.conflictsWith(use.pages(), use.writes())) {
                return true;
            }
        }
        return false;
    }

    /// Number of views closed so far, or given up while they were opened; read it before looking for what blocks, then wait for it to change.
    public long closedCount() {
        lock.lock();
        try {
            return closedCount;
        } finally {
            lock.unlock();
        }
    }

    /// Waits until a view has been closed since `seen`, or the deadline. An interrupt is kept for later: it says
    /// nothing about views.
    ///
    /// @return false after the deadline, whatever has been closed
    /// @throws IllegalStateException if the heap closes meanwhile
    public boolean awaitClosing(long seen, long deadlineNanos) {
        boolean interrupted = false;
        lock.lock();
        try {
            long left = deadlineNanos - System.nanoTime();
            while (closedCount == seen && left > 0 && !ending) {
                try {
                    left = viewClosed.awaitNanos(left);
                } catch (InterruptedException e) {
                    interrupted = true;
                    left = deadlineNanos - System.nanoTime();
                }
            }
            if (ending) {
                throw new IllegalStateException("the heap is closed");
            }
            return left > 0; // also if others close views all the time
        } finally {
            lock.unlock();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// The heap is about to close, for which it waits until nobody waits for views any more.
    public void endWaits() {
        lock.lock();
        try {
            ending = true;
            viewClosed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
