package io.github.hmm4j.migrate;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.space.PageRange;

/// Gets pages ready for kernels that use them where they are, in host memory: for the protocol such a device is one
/// more processor of the host.
///
/// So there is nothing to move but what other devices have, or this one has of its own from before. What nobody has
/// touched becomes the host's, with memory, before a kernel may: it would otherwise write to a page that reads as
/// zeros, or end the process where there is no memory left.
///
/// Threads: any.
public final class InPlacePages {

    private final ManagedPages heap;
    private final PageTable table;
    private final HostSide hostSide;

    public InPlacePages(ManagedPages heap, HostSide hostSide) {
        this.heap = heap;
        table = heap.table();
        this.hostSide = hostSide;
    }

    /// Brings home what is not there. Best effort: the gate looks again.
    ///
    /// @param writes whether the host's copy must be the only one
    /// @throws io.github.hmm4j.error.AccessViolationException     if the protection forbids it
    /// @throws io.github.hmm4j.error.HostMemoryExhaustedException if the operating system has no memory for the pages
    /// @throws io.github.hmm4j.error.HmmException                 if a copy failed
    public MigrationReport bringHome(DeviceMirror mirror, PageRange pages, boolean writes) {
        for (long page = pages.first(); page < pages.end(); page++) {
            PageErrors.requireAccess(heap, page, table.word(page), writes, "use in place by " + mirror);
        }
        return hostSide.fetch(pages, writes ? HostSide.Access.WRITE_IN_PLACE : HostSide.Access.READ_IN_PLACE, Cause.LAUNCH);
    }

    /// Waits, after pages came home for somebody who looks at them, for kernels that use them in place: those change no
    /// word. A view has pinned its pages before, so that no later launch gets in; if this fails they are pinned no more.
    public static void awaitKernels(ManagedPages heap, HostSide hostSide, PageRange pages, HostSide.Access access, Cause cause) {
        if (!heap.worksInPlace() || !(access.pins() || cause == Cause.PREFETCH)) {
            return;
        }
        try {
            heap.inFlight().awaitConflicts(pages, !access.isExclusive());
        } catch (RuntimeException | Error e) {
            if (access.pins()) {
                hostSide.unpin(pages, access.isExclusive());
            }
            throw e;
        }
    }
}
