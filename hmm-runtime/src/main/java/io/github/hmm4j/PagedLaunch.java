package io.github.hmm4j;

import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.error.KernelEnqueuedError;
import io.github.hmm4j.error.LaunchBlockedException;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.migrate.DeviceFaults;
import io.github.hmm4j.migrate.LaunchGate;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.DeviceTable;
import io.github.hmm4j.mirror.FaultRound;
import io.github.hmm4j.mirror.PageUse;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// A launch that goes through the device's page table: round by round, until every work-item has come to its end.
final class PagedLaunch {

    private static final long NAP_NANOS = 1_000_000;
    private static final long AROUND_NULL_BYTES = 4096; // no heap begins there

    private final LaunchParts parts;
    private final DeviceKernel kernel;
    private final NDRange range;
    private final DeviceMirror mirror;
    private final DeviceTable table;
    private final List<PageUse> pages;
    private final DeviceFaults faults;
    private final long startNanos = System.nanoTime();
    private Plan plan;
    private @Nullable FaultRound toServe;
    private long pagesMoved;
    private long bytesCopied;
    private int rounds;
    private boolean hasRun; // or has been enqueued

    PagedLaunch(LaunchParts parts, DeviceKernel kernel, Plan plan, NDRange range, DeviceMirror mirror) {
        this.parts = parts;
        this.kernel = kernel;
        this.plan = plan;
        this.range = range;
        this.mirror = mirror;
        table = Objects.requireNonNull(mirror.deviceTable(), "only kernels compiled with it go through it");
        pages = plan.paged();
        faults = new DeviceFaults(parts.heap(), parts.placer(), parts.evictor(), parts.toDevice(), parts.hostLock(), parts.ahead(), mirror,
                new DeviceFaults.Launch(kernel.name(), pages, plan.dead(), plan.windows(), range.itemsOfWholeGroups(), ranks(range)));
    }

    /// Where the driver chooses the groups they need not divide the range, and ranks are counted as if they did: in each dimension that is less than twice as far.
    private static long ranks(NDRange range) {
        return range.local().length == 0 ? range.items() << range.dimensions() : range.itemsOfWholeGroups();
    }

    /// @return a launch that has ended
    Launch run() {
        boolean well = false;
        try (DeviceTable.Items items = table.items(range.itemsOfWholeGroups())) {
            while (true) {
                Launch launch = new Round(items).run();
                if (toServe == null) {
                    well = true;
                    leaveHost();
                    return launch.after(new Launch.Moves(pagesMoved + faults.pagesMoved(), bytesCopied + faults.bytesCopied(), rounds));
                }
            }
        } finally {
            if (hasRun && !well) {
                table.distrust();
            }
        }
    }

    private void leaveHost() {
        mirror.lock().takeAlone();
        try {
            parts.departed(mirror, pages);
        } finally {
            mirror.lock().leave();
        }
    }

    /// One run of the kernel.
    private final class Round {

        private final DeviceTable.Items items;
        private final LaunchGate.Enqueue enqueue;
        private final Attempt attempt;
        private @Nullable Relief relief;
        private @Nullable OpenClFailedException refusal; // of the last try, of which nothing ran

        Round(DeviceTable.Items items) {
            this.items = items;
            enqueue = new KernelEnqueue(kernel, plan, range, mirror, items);
            attempt = new Attempt(parts, kernel, plan, enqueue, mirror);
        }

        Launch run() {
            while (true) {
                long viewsClosed = parts.views().closedCount();
                Launch launch = tryOnce();
                if (launch != null) {
                    return launch;
                }
                if (refusal != null) {
                    relieve(refusal);
                    continue;
                }
                if (faults.isHopeless()) {
                    throw new LaunchBlockedException(kernel.name(), LaunchParts.millisSince(startNanos), "threads that take them away as often as they come");
                }
                if (faults.isPinned()) {
                    parts.awaitViews(kernel, pages, viewsClosed, startNanos);
                    faults.viewsHaveClosed();
                } else {
                    attempt.goRound(viewsClosed);
                }
            }
        }

        /// What the round had brought is missed again.
        private void relieve(OpenClFailedException refused) {
            relief = relief == null ? new Relief(parts, mirror) : relief;
            relief.after(refused, kernel.name(), bytesOfWindows());
            refusal = null;
            faults.haveLeft();
        }

        private long bytesOfWindows() {
            return plan.windows().stream().mapToLong(window -> window.count() * mirror.pageBytes()).sum();
        }

        /// Null if others have to be waited for, or the device has refused, which is dealt with without the turn.
        private @Nullable Launch tryOnce() {
            table.turn().lock();
            try {
                LaunchGate.Passed passed = enter();
                return passed == null ? null : ended(enqueued(passed));
            } finally {
                table.turn().unlock();
            }
        }

        private Launch enqueued(LaunchGate.Passed passed) {
            try {
                return attempt.enqueued(passed);
            } catch (KernelEnqueuedError e) {
                abandon();
                throw e;
            }
        }

        /// What was missing in the round before is brought and the kernel enqueued under one hold of the lock: in between, others would take it away again.
        private LaunchGate.@Nullable Passed enter() {
            mirror.lock().takeAlone();
            LaunchGate.Passed passed = null;
            boolean runs = false;
            try {
                plan.requireCurrent();
                if (toServe != null) {
                    faults.serve(toServe);
                    toServe = null;
                }
                faults.claimToOverwrite();
                if (faults.isPinned() || faults.isHopeless()) {
                    return null;
                }
                table.beginRound(faults.limit());
                LaunchGate.Needs needs = new LaunchGate.Needs(plan.uses(), plan.windows(), table.show(pages));
                passed = parts.gate().enter(mirror, needs, enqueue, faults.overwritten());
                if (passed == null) {
                    faults.giveUpOverwriting(); // nobody moves pages with such claims
                    passed = attempt.moveAndEnter(needs);
                }
                runs = passed != null;
                return passed;
            } catch (OpenClFailedException e) {
                refusal = e;
                return null;
            } catch (KernelEnqueuedError e) {
                runs = true;
                abandon();
                throw e;
            } finally {
                hasRun |= runs;
                if (runs) {
                    faults.hasRun();
                } else {
                    faults.giveUpOverwriting();
                }
                mirror.lock().leave();
            }
        }

        /// A round runs that nobody can tell anything of: the launch is over with it.
        private void abandon() {
            parts.heap().inFlight().awaitUsesOn(mirror.index(), pages.getFirst().pages()); // of which it is published
            table.ended(false);
            items.abandon();
        }

        private Launch ended(Launch launch) {
            boolean well = false;
            try {
                awaitEnd(launch);
                well = true;
            } finally {
                table.ended(well);
                if (!well) {
                    items.abandon();
                }
            }
            plan = plan.again();
            rounds += Math.max(1, launch.moves().rounds());
            pagesMoved += launch.moves().pagesMoved();
            bytesCopied += launch.moves().bytesCopied();
            FaultRound seen = table.endRound();
            refuse(seen.violation());
            toServe = seen.unfinished() ? seen : null;
            if (toServe == null) {
                faultsEnd();
            } else {
                faults.requirePossible(seen);
            }
            return launch;
        }

        private void faultsEnd() {
            mirror.lock().takeAlone();
            try {
                faults.end();
            } finally {
                mirror.lock().leave();
            }
        }

        /// Others use the table next, so a wait for which there is no memory is made again.
        private static void awaitEnd(Launch launch) {
            while (true) {
                try {
                    launch.await();
                    return;
                } catch (OutOfMemoryError _) {
                    LockSupport.parkNanos(NAP_NANOS);
                }
            }
        }

        private void refuse(FaultRound.@Nullable Violation violation) {
            if (violation != null) {
                throw AccessViolationException.ofKernel(kernel.name(),
                        violation.crossesPage() ? AccessViolationException.Kind.CROSSES_PAGE : AccessViolationException.Kind.OUTSIDE,
                        violation.write(), violation.addressBytes(),
                        (violation.crossesPage() ? "the object does not lie on one page: align it, or ask for its parts" : outside(violation.addressBytes())) + ", workItem=" + violation.item());
            }
        }

        private static String outside(long address) {
            return Long.compareUnsigned(address, AROUND_NULL_BYTES) < 0 ? "null, or a part of an object at null: kernels test for 0 before they ask" : "in none of the ranges of Arg.heap";
        }
    }
}
