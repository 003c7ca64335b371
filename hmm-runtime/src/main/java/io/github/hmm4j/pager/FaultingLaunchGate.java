package io.github.hmm4j.pager;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.HostMemoryExhaustedException;
import io.github.hmm4j.error.KernelEnqueuedError;
import io.github.hmm4j.error.LaunchBlockedException;
import io.github.hmm4j.error.PagePoisonedException;
import io.github.hmm4j.migrate.LaunchGate;
import io.github.hmm4j.migrate.Overwrites;
import io.github.hmm4j.migrate.UndoLog;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.PageUse;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.Region;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The gate of a device whose kernels fault: nothing has to be there, so each launch gets through when the kernel before it has ended. What it does wrong is told by its end.
///
/// Native code remembers what kernels did wrong for as many launches as may be in flight, and as long as it is open; a launch may be awaited at any time. So each launch asks for those before it
/// that have ended, and closing asks for all.
public final class FaultingLaunchGate implements LaunchGate {

    // Indexes in struct hmm_launch.
    private static final int DEVICE = 0;
    private static final int USES = 1;
    private static final int USE_COUNT = 2;
    private static final int CLOCK = 5;
    private static final int QUEUE = 8;
    private static final int KERNEL = 9;
    private static final int DIMENSIONS = 10;
    private static final int GLOBAL = 11;
    private static final int LOCAL = 12;
    private static final int EVENT = 13;
    private static final int NAME = 16;
    private static final int NUMBER = 22;
    private static final int OFFSET = 23;

    /// Who wants to know when kernels are about to start.
    public interface Beginnings {

        /// A launch of a device is about to be in flight.
        void begins(DeviceMirror mirror);

        /// It is, or has failed.
        void hasBegun();
    }

    private final Set<End> unheard = new HashSet<>();
    private final ManagedPages heap;
    private final HostViews views;
    private final @Nullable Beginnings beginnings;
    private final long pager;

    /// @param views of the host, for which kernels wait
    public FaultingLaunchGate(ManagedPages heap, NativePager pager, HostViews views, @Nullable Beginnings beginnings) {
        this.heap = heap;
        this.views = views;
        this.beginnings = beginnings;
        this.pager = pager.handle();
    }

    /// Never null.
    ///
    /// @throws LaunchBlockedException if the kernel before it takes longer than a touch may wait
    @Override
    public Passed enter(DeviceMirror mirror, Needs needs, Enqueue enqueue, @Nullable Overwrites overwrites) {
        List<PageUse> uses = needs.published();
        End end = new End(enqueue.kernelName());
        synchronized (unheard) {
            unheard.add(end); // what comes behind the launch takes no memory
        }
        Completion completion = null;
        try {
            completion = enqueue(mirror, uses, enqueue, end);
        } finally {
            if (completion == null) {
                forget(end);
            }
        }
        hear();
        try {
            return new Passed(completion, end);
        } catch (OutOfMemoryError _) {
            throw KernelEnqueuedError.get();
        }
    }

    private void forget(End end) {
        synchronized (unheard) {
            unheard.remove(end);
        }
    }

    private void hear() {
        synchronized (unheard) {
            try {
                unheard.removeIf(End::isKnown);
            } catch (OutOfMemoryError _) {
                return; // the next launch asks again
            }
        }
    }

    /// All kernels have ended, and native code will be asked nothing any more.
    @Override
    public void close() {
        synchronized (unheard) {
            unheard.forEach(End::violation);
            unheard.clear();
        }
    }

    /// Published before what it uses is looked up for the last time, and waits for its turn before it takes anything of the driver's.
    private Completion enqueue(DeviceMirror mirror, List<PageUse> uses, Enqueue enqueue, End end) {
        long number = publish(mirror, uses, enqueue.kernelName());
        try {
            Completion completion = Objects.requireNonNull(enqueue.by((queue, kernel, offset, global, local, _, _) -> { // no argument is a copy: Plan refuses those
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment request = requestOf(arena, mirror, uses, enqueue.kernelName());
                    request.setAtIndex(JAVA_LONG, QUEUE, queue);
                    request.setAtIndex(JAVA_LONG, KERNEL, kernel);
                    request.setAtIndex(JAVA_LONG, DIMENSIONS, global.length);
                    request.setAtIndex(JAVA_LONG, GLOBAL, arena.allocateFrom(JAVA_LONG, global).address());
                    request.setAtIndex(JAVA_LONG, LOCAL, local.length == 0 ? 0 : arena.allocateFrom(JAVA_LONG, local).address());
                    request.setAtIndex(JAVA_LONG, OFFSET, arena.allocateFrom(JAVA_LONG, offset).address());
                    request.setAtIndex(JAVA_LONG, NUMBER, number);
                    MemorySegment failure = arena.allocate(JAVA_LONG, PagerCalls.FAILURE_WORDS);
                    if (PagerCalls.go(pager, request, failure) != 0) {
                        throw NativeFailure.of(heap, failure, true, "launch on " + mirror);
                    }
                    return request.getAtIndex(JAVA_LONG, EVENT);
                }
            }));
            end.of(completion, number);
            return completion;
        } finally {
            PagerCalls.withdraw(pager, number); // nothing, if its kernel is the driver's
        }
    }

    private long publish(DeviceMirror mirror, List<PageUse> uses, String kernel) {
        if (beginnings == null) {
            return begin(mirror, uses, kernel);
        }
        beginnings.begins(mirror);
        try {
            return begin(mirror, uses, kernel);
        } finally {
            beginnings.hasBegun();
        }
    }

    /// @return the number of the launch
    private long begin(DeviceMirror mirror, List<PageUse> uses, String kernel) {
        long startNanos = System.nanoTime();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment request = requestOf(arena, mirror, uses, kernel);
            MemorySegment failure = arena.allocate(JAVA_LONG, PagerCalls.FAILURE_WORDS);
            if (PagerCalls.begin(pager, request, failure) != 0) {
                throw NativeFailure.of(heap, failure, true, "launch on " + mirror);
            }
            long number = request.getAtIndex(JAVA_LONG, NUMBER);
            if (number == 0) {
                throw LaunchBlockedException.behind(kernel, Duration.ofNanos(System.nanoTime() - startNanos).toMillis());
            }
            return number;
        }
    }

    private static MemorySegment requestOf(Arena arena, DeviceMirror mirror, List<PageUse> uses, String kernel) {
        MemorySegment request = arena.allocate(JAVA_LONG, PagerCalls.LAUNCH_WORDS);
        request.setAtIndex(JAVA_LONG, DEVICE, mirror.index());
        request.setAtIndex(JAVA_LONG, USES, NativeLaunchGate.usesOf(arena, uses).address());
        request.setAtIndex(JAVA_LONG, USE_COUNT, uses.size());
        request.setAtIndex(JAVA_LONG, CLOCK, mirror.tick());
        request.setAtIndex(JAVA_LONG, NAME, arena.allocateFrom(kernel).address());
        return request;
    }

    /// Never called: no launch loses its pages.
    @Override
    public @Nullable Passed insist(DeviceMirror mirror, Needs needs, Enqueue enqueue, @Nullable Overwrites overwrites, UndoLog undo) {
        throw new IllegalStateException("kernels of " + mirror + " fault, so none insists");
    }

    /// Tells each time it is asked for what the kernel did wrong first.
    private final class End implements Runnable {

        private final String kernel;
        private volatile @Nullable Completion completion; // null: its kernel is not enqueued
        private long number;
        private @Nullable Violation violation;
        private boolean known;

        End(String kernel) {
            this.kernel = kernel;
        }

        void of(Completion itsCompletion, long itsNumber) {
            number = itsNumber;
            completion = itsCompletion;
        }

        /// Whether all is known of it that native code knows; not before it has ended.
        boolean isKnown() {
            Completion its = completion;
            if (its == null || !its.isDone()) {
                return false;
            }
            violation();
            return true;
        }

        /// Native code sees the end by itself, poisons what a failed kernel was to write, and takes the pages away that strays were given; whoever hears of the end shall find that done.
        @Override
        public void run() {
            Violation found = violation();
            if (found == null) {
                return;
            }
            try {
                Objects.requireNonNull(completion).await(); // it has ended
            } catch (HmmException e) {
                return; // which is what is told
            }
            throw found.exception(heap, views, kernel);
        }

        private synchronized @Nullable Violation violation() {
            if (!known) {
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment memory = arena.allocate(JAVA_LONG, PagerCalls.VIOLATION_WORDS);
                    violation = PagerCalls.violationOf(pager, number, memory) ? Violation.of(memory, heap) : null;
                    known = true;
                }
            }
            return violation;
        }
    }

    /// `struct hmm_violation`.
    ///
    /// @param failure of the kernel that was to write the page, if that is lost
    private record Violation(int kind, long page, long offset, boolean write, @Nullable String failure) {

        private static final int OUTSIDE = 1;
        private static final int UNREADABLE = 2;
        private static final int UNWRITABLE = 3;
        private static final int LOST = 4;
        private static final int HELD = 6;

        static Violation of(MemorySegment memory, ManagedPages heap) {
            int kind = (int) memory.getAtIndex(JAVA_LONG, 0);
            long page = memory.getAtIndex(JAVA_LONG, 1);
            String failure = kind == LOST ? heap.inFlight().failureOf(page).orElse(null) : null;
            return new Violation(kind, page, memory.getAtIndex(JAVA_LONG, 2), memory.getAtIndex(JAVA_LONG, 3) != 0, failure);
        }

        HmmException exception(ManagedPages heap, HostViews views, String kernel) {
            long address = heap.space().addressOf(page) + offset;
            String what = "kernel=" + kernel;
            return switch (kind) {
                case OUTSIDE -> refused(heap, kernel, AccessViolationException.Kind.OUTSIDE, address);
                case UNREADABLE -> refused(heap, kernel, AccessViolationException.Kind.FAULT, address);
                case UNWRITABLE -> refused(heap, kernel, AccessViolationException.Kind.PERMISSION, address);
                case LOST -> failure == null ? new PagePoisonedException(address, what) : new PagePoisonedException(address, what, failure);
                case HELD -> LaunchBlockedException.ofKernel(kernel, write, address,
                        views.conflict(List.of(new PageUse(new PageRange(page, page + 1), write))).orElse("a view that has been closed meanwhile"));
                default -> new HostMemoryExhaustedException(what, address, heap.space().pageSize().bytes());
            };
        }

        private HmmException refused(ManagedPages heap, String kernel, AccessViolationException.Kind kind, long address) {
            String where = heap.space().regionAt(address).map(region -> "region=" + region.range())
                    .orElse("in no region of the heap");
            return AccessViolationException.ofKernel(kernel, kind, write, address, where + nearest(heap, address));
        }

        /// The region before an address that is in none: as a rule a kernel has run over its end.
        private static String nearest(ManagedPages heap, long address) {
            Region before = null;
            for (Region region : heap.space().regions()) {
                if (region.range().endBytes() <= address && (before == null || region.range().endBytes() > before.range().endBytes())) {
                    before = region;
                }
            }
            return before == null || heap.space().regionAt(address).isPresent()
                    ? ""
                    : String.format(Locale.ROOT, ", %d bytes behind the end of region=%s",
                            address - before.range().endBytes(), before.range());
        }
    }
}
