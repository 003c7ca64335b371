package io.github.hmm4j.mirror;

import io.github.hmm4j.account.Accounts;
import io.github.hmm4j.device.Completion;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.space.PageRange;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// Launches in flight, kept in Java: where host access is checked.
///
/// Threads: any; its lock is a leaf, held to publish. At most [#CAPACITY] launches are in flight; one more waits for the oldest it finds.
public final class LaunchTable implements InFlight {

    /// Launches of one heap that can be in flight at once.
    public static final int CAPACITY = 256;

    private final AtomicReferenceArray<@Nullable Use> slots = new AtomicReferenceArray<>(CAPACITY);
    /// Slots from here on have never held a launch, so that looking for conflicts costs as much as there were launches at once, not all slots.
    private final AtomicInteger slotsUsed = new AtomicInteger();
    private long order; // of the last that was published
    private final AtomicLongArray launched = new AtomicLongArray(PageWord.MAX_DEVICES);

    private final FailedLaunches failed;

    public LaunchTable(PageTable table, Accounts accounts) {
        failed = new FailedLaunches(table, accounts);
    }

    /// One published launch.
    public static final class Use {

        private final int slot;
        private final long order;
        private final int device;
        private final List<PageUse> pages;
        private final CountDownLatch decided = new CountDownLatch(1);
        /// Null until decided, [Completion#DONE] if withdrawn: one field, so that nobody can see it decided and not with what. Takes nothing from the Java heap.
        private volatile @Nullable Completion outcome;
        private boolean lost; // what it was to write

        private Use(int slot, long order, int device, List<PageUse> pages) {
            this.slot = slot;
            this.order = order;
            this.device = device;
            this.pages = pages;
        }

        /// Takes nothing from the Java heap: who undoes something because that is full looks for conflicts, too.
        private boolean conflictsWith(PageRange range, boolean writersOnly) {
            for (int i = 0; i < pages.size(); i++) {
                PageUse use = pages.get(i);
                if ((use.writes() || !writersOnly) && use.pages().overlaps(range)) {
                    return true;
                }
            }
            return false;
        }

        /// Whether both use a page in place that one of them writes.
        private boolean clashesWith(Use other) {
            for (PageUse use : pages) {
                for (PageUse its : other.pages) {
                    if (use.inPlace() && its.inPlace() && (use.writes() || its.writes()) && use.pages().overlaps(its.pages())) {
                        return true;
                    }
                }
            }
            return false;
        }

        private boolean hasEnded() {
            Completion launched = outcome;
            return launched != null && launched.isDone();
        }

        /// Waits until the launch was withdrawn or has ended; if it failed, what it was to write is poisoned by then.
        private void awaitEnd(FailedLaunches failed) {
            boolean interrupted = false;
            while (outcome == null) {
                try {
                    decided.await(); // the publisher checks words and enqueues, no more: in between it waits at most for kernels, and those before it
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
            try {
                Objects.requireNonNull(outcome).await();
            } catch (HmmException e) {
                loseWrites(failed, e);
            }
        }

        private void decide(Completion as) {
            outcome = as;
            decided.countDown();
        }

        /// One does it, others wait for that. Takes nothing from the Java heap, like looking for conflicts.
        private synchronized void loseWrites(FailedLaunches failed, HmmException failure) {
            for (int i = 0; i < pages.size(); i++) {
                PageUse use = pages.get(i);
                if (use.writes() && !use.inPlace() && !lost) { // what it has written in place the host could see all along
                    failed.poison(device, use.pages(), failure);
                }
            }
            lost = true;
        }
    }

    /// Step 1 of a launch: from here on, claimers see it. It must be followed by [#attach] or [#withdraw], soon.
    public Use publish(int device, List<PageUse> pages) {
        while (true) {
            for (int i = 0; i < CAPACITY; i++) {
                if (slots.get(i) == null) {
                    raiseSlotsUsed(i + 1); // before the slot is filled: who looks for launches looks no further
                    Use use = fill(i, device, pages);
                    if (use != null) {
                        VarHandle.fullFence(); // publish before checking words; pairs with the fence in awaitConflicts
                        return use;
                    }
                }
            }
            retireEnded();
        }
    }

    /// Under a lock, so that who comes later in the order sees those before.
    private synchronized @Nullable Use fill(int slot, int device, List<PageUse> pages) {
        Use use = new Use(slot, order + 1, device, pages);
        if (!slots.compareAndSet(slot, null, use)) {
            return null;
        }
        order++;
        return use;
    }

    /// Kernels of several devices that use host pages in place take turns on what one of them writes, in the order in which they were published: no word says whose turn it is.
    public void awaitThoseBefore(Use published) {
        int end = slotsUsed.get();
        for (int i = 0; i < end; i++) {
            Use use = slots.get(i);
            if (use != null && use.order < published.order && use.device != published.device && use.clashesWith(published)) {
                retire(use);
            }
        }
    }

    private void raiseSlotsUsed(int slots) {
        if (slotsUsed.get() < slots) {
            slotsUsed.accumulateAndGet(slots, Math::max);
        }
    }

    /// The launch did not happen.
    public void withdraw(Use use) {
        use.decide(Completion.DONE);
        retire(use);
    }

    /// The launch was enqueued.
    public void attach(Use use, Completion completion) {
        launched.incrementAndGet(use.device);
        use.decide(completion);
    }

    @Override
    public long launchedOn(int device) {
        return launched.get(device);
    }

    /// What failed launches were to write is poisoned when this returns, as far as they are known to have ended: nobody may start to use it then. Waits for none.
    public void concludeEnded(List<PageUse> pages) {
        int end = slotsUsed.get();
        for (int i = 0; i < end; i++) {
            Use use = slots.get(i);
            if (use != null && pages.stream().anyMatch(other -> use.conflictsWith(other.pages(), true)) && use.hasEnded()) {
                retire(use);
            }
        }
    }

    @Override
    public Optional<String> failureOf(long page) {
        return failed.why(page);
    }

    /// Waits for the end of a launch that is decided, or will be at once, and forgets it. Idempotent.
    public void retire(Use use) {
        use.awaitEnd(failed);
        slots.compareAndSet(use.slot, use, null);
    }

    @Override
    public void awaitConflicts(PageRange range, boolean writersOnly) {
        VarHandle.fullFence(); // claim before looking for launches; pairs with the fence in publish
        int end = slotsUsed.get();
        for (int i = 0; i < end; i++) {
            Use use = slots.get(i);
            if (use != null && use.conflictsWith(range, writersOnly)) {
                retire(use);
            }
        }
    }

    @Override
    public void awaitUsesOn(int device, PageRange range) {
        VarHandle.fullFence();
        int end = slotsUsed.get();
        for (int i = 0; i < end; i++) {
            Use use = slots.get(i);
            if (use != null && use.device == device && use.conflictsWith(range, false)) {
                retire(use);
            }
        }
    }

    @Override
    public List<PageRange> usedOn(int device) {
        List<PageRange> used = new ArrayList<>();
        int end = slotsUsed.get();
        for (int i = 0; i < end; i++) {
            Use use = slots.get(i);
            if (use != null && use.device == device && !use.hasEnded()) {
                use.pages.forEach(pages -> used.add(pages.pages()));
            }
        }
        return used;
    }

    @Override
    public void awaitAll() {
        int end = slotsUsed.get();
        for (int i = 0; i < end; i++) {
            Use use = slots.get(i);
            if (use != null) {
                retire(use);
            }
        }
    }

    private void retireEnded() {
        boolean anyEnded = false;
        Use running = null;
        int end = slotsUsed.get();
        for (int i = 0; i < end; i++) {
            Use use = slots.get(i);
            if (use == null) {
                anyEnded = true;
            } else if (use.hasEnded()) {
                retire(use);
                anyEnded = true;
            } else {
                running = use;
            }
        }
        if (!anyEnded && running != null) {
            retire(running);
        }
    }
}
