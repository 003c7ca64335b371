package io.github.hmm4j;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.error.KernelEnqueuedError;
import io.github.hmm4j.migrate.HostLock;
import io.github.hmm4j.migrate.LaunchGate;
import io.github.hmm4j.migrate.MigrationReport;
import io.github.hmm4j.migrate.Overwrites;
import io.github.hmm4j.migrate.PageOutcome;
import io.github.hmm4j.migrate.ToDevice;
import io.github.hmm4j.migrate.UndoLog;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.PageUse;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.timeline.ReplayEvent;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A launch whose pages were not all there.
final class Attempt {

    /// Rounds that a launch loses to the host before it holds the host off.
    private static final int PATIENCE = 3;

    private final LaunchParts parts;
    private final ManagedPages heap;
    private final DeviceKernel kernel;
    private final Plan plan;
    private final List<PageUse> uses;
    private final LaunchGate.Enqueue enqueue;
    private final DeviceMirror mirror;
    private final long startNanos = System.nanoTime();
    private final UndoLog undo;
    private final Overwrites overwritten;
    private long pagesMoved;
    private long bytesCopied;
    private int rounds;
    private int losses;

    Attempt(LaunchParts parts, DeviceKernel kernel, Plan plan, LaunchGate.Enqueue enqueue, DeviceMirror mirror) {
        this.parts = parts;
        heap = parts.heap();
        this.kernel = kernel;
        this.plan = plan;
        uses = plan.uses();
        this.enqueue = enqueue;
        this.mirror = mirror;
        undo = parts.toDevice().undoLog(mirror);
        overwritten = new Overwrites(heap, mirror);
    }

    Launch run(LaunchGate.Needs needs) {
        while (true) {
            long viewsClosed = parts.views().closedCount();
            LaunchGate.Passed passed = moveAndEnter(needs);
            if (passed != null) {
                return enqueued(passed);
            }
            goRound(viewsClosed);
        }
    }

    /// @throws KernelEnqueuedError if there is no Java heap for it
    Launch enqueued(LaunchGate.Passed passed) {
        return Launch.enqueued(kernel.name(), mirror, passed, pagesMoved, bytesCopied, rounds);
    }

    /// After a try that did not pass: waits for a view to close, without any lock, if one was in the way. If that fails, what was moved is back.
    ///
    /// @param viewsClosed how many had closed before the try
    void goRound(long viewsClosed) {
        try {
            if (isPinned()) {
                awaitViews(viewsClosed);
            } else {
                losses++;
                heap.accounts().increment(Counter.LAUNCH_RETRIES);
                report(heap.timeline().replay(), false);
            }
        } catch (RuntimeException | Error e) {
            giveBack();
            throw e;
        }
    }

    /// One try. If it throws, what was moved is back, unless the kernel runs all the same.
    ///
    /// @return null if pages were lost meanwhile, or views keep them
    LaunchGate.@Nullable Passed moveAndEnter(LaunchGate.Needs needs) {
        rounds++;
        mirror.lock().takeAlone();
        try {
            if (losses < PATIENCE) {
                move(needs);
                claimToOverwrite();
                return depart(parts.gate().enter(mirror, needs, enqueue, overwritten));
            }
            try (HostLock.Hold _ = parts.hostLock().exclusive()) {
                move(needs);
                claimToOverwrite();
                return depart(parts.gate().insist(mirror, needs, enqueue, overwritten, undo));
            }
        } catch (KernelEnqueuedError e) {
            throw e; // what was moved for it stays
        } catch (RuntimeException | Error e) {
            parts.toDevice().undo(undo);
            throw e;
        } finally {
            overwritten.end();
            mirror.lock().leave();
        }
    }

    private void move(LaunchGate.Needs needs) {
        plan.requireCurrent();
        if (needs.table() != null) {
            parts.placer().makePagedChunk(mirror, plan.windows(), 1);
        }
        if (!plan.windows().isEmpty()) {
            parts.placer().place(mirror, plan.windows());
        }
        for (Plan.Need need : plan.needs()) {
            if (need.inPlace()) {
                count(parts.inPlace().bringHome(mirror, need.pages(), need.intent().writes()));
            } else if (need.intent() != ToDevice.Intent.OVERWRITE) {
                count(parts.toDevice().migrate(mirror, need.pages(), need.intent(), ToDevice.Effort.EVERY_PAGE, Cause.LAUNCH, undo));
            }
        }
    }

    /// Comes last: nobody waits for others with such claims.
    private void claimToOverwrite() {
        List<PageRange> pages = plan.overwrites();
        if (!pages.isEmpty()) {
            parts.toDevice().claimToOverwrite(mirror, pages, Cause.LAUNCH, overwritten).forEach(this::count);
        }
    }

    private void count(MigrationReport report) {
        pagesMoved += report.count(PageOutcome.MOVED);
        bytesCopied += report.bytesCopied();
    }

    /// The launch has passed: what it writes is on the device for good.
    private LaunchGate.@Nullable Passed depart(LaunchGate.@Nullable Passed passed) {
        if (passed != null) {
            parts.departed(mirror, uses);
        }
        return passed;
    }

    private boolean isPinned() {
        return LaunchGate.isPinned(heap.table(), uses);
    }

    private void report(@Nullable ReplayEvent event, boolean viewOpen) {
        if (event != null) {
            event.of(kernel.name(), mirror.index(), mirror.deviceName(), viewOpen, rounds, losses >= PATIENCE);
            heap.timeline().end(event);
        }
    }

    private void awaitViews(long viewsClosed) {
        ReplayEvent event = heap.timeline().replay();
        try {
            parts.awaitViews(kernel, uses, viewsClosed, startNanos);
        } finally {
            report(event, true);
        }
    }

    private void giveBack() {
        mirror.lock().takeAlone();
        try {
            parts.toDevice().undo(undo);
        } finally {
            mirror.lock().leave();
        }
    }
}
