package io.github.hmm4j;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.device.KernelArgument;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.NativeEnqueue;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.LaunchBlockedException;
import io.github.hmm4j.migrate.DeviceFaults;
import io.github.hmm4j.migrate.Evictor;
import io.github.hmm4j.migrate.HostLock;
import io.github.hmm4j.migrate.LaunchGate;
import io.github.hmm4j.migrate.MigrationReport;
import io.github.hmm4j.migrate.PageOutcome;
import io.github.hmm4j.migrate.Placer;
import io.github.hmm4j.migrate.ToDevice;
import io.github.hmm4j.migrate.UndoLog;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.DeviceTable;
import io.github.hmm4j.mirror.FaultRound;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.PageUse;
import io.github.hmm4j.pager.CheckedPager;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.timeline.LaunchEvent;
import io.github.hmm4j.timeline.ReplayEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Takes a launch from its arguments to the device.
///
/// 1. Plan: ranges and modes from the arguments.
/// 2. Try the gate at once: resident data costs no more than two passes over its words.
/// 3. Under the device's lock: frames in one piece, pages moved, the gate again.
/// 4. A page was lost to the host meanwhile: once more; after [#PATIENCE] losses with the host held off, so that a launch always gets through.
/// 5. A view holds a page: wait for views to close, without any lock, up to the launch timeout. A view that only the launching thread can close is an error instead.
///
/// If anything fails before the kernel is enqueued, the pages moved for it go back where they were; those evicted for it stay home. Threads: any.
final class Launcher {

    private static final Logger LOG = LoggerFactory.getLogger(Launcher.class);

    /// Rounds that a launch loses to the host before it holds the host off.
    private static final int PATIENCE = 3;

    private final ManagedPages heap;
    private final CheckedPager pager;
    private final Placer placer;
    private final Evictor evictor;
    private final ToDevice toDevice;
    private final LaunchGate gate;
    private final HostLock hostLock;
    private final Departure departure;
    private final Duration timeout;

    Launcher(ManagedPages heap, CheckedPager pager, Placer placer, Evictor evictor, ToDevice toDevice, LaunchGate gate, HostLock hostLock,
            Departure departure, Duration timeout) {
        this.heap = heap;
        this.pager = pager;
        this.placer = placer;
        this.evictor = evictor;
        this.toDevice = toDevice;
        this.gate = gate;
        this.hostLock = hostLock;
        this.departure = departure;
        this.timeout = timeout;
    }

    /// @param intents of the kernel itself, by parameter
    Launch launch(DeviceKernel kernel, Map<Integer, Arg.Intent> intents, Object[] arguments, NDRange range, DeviceMirror mirror) {
        LaunchEvent event = heap.timeline().launch();
        Plan plan = Plan.of(heap.space(), kernel, mirror, intents, arguments, range);
        if (event == null) {
            return launch(kernel, plan, range, mirror);
        }
        event.of(kernel.name(), mirror.index(), mirror.deviceName(), bytesOf(plan.uses()) + bytesOf(plan.paged()));
        try {
            Launch launch = launch(kernel, plan, range, mirror);
            event.passed(launch.moves().pagesMoved(), launch.moves().bytesCopied(), launch.moves().rounds(), launch.command());
            return launch;
        } finally {
            heap.timeline().end(event);
        }
    }

    private long bytesOf(List<PageUse> uses) {
        return uses.stream().mapToLong(use -> heap.space().pageSize().bytesFor(use.pages().count())).sum();
    }

    private Launch launch(DeviceKernel kernel, Plan plan, NDRange range, DeviceMirror mirror) {
        refuseOwnView(kernel, plan.uses());
        refuseOwnView(kernel, plan.paged());
        Launch launch = plan.paged().isEmpty()
                ? launch(kernel, plan, range, mirror, new LaunchGate.Needs(plan.uses(), plan.windows(), null))
                : new PagedLaunch(kernel, plan, range, mirror).run();
        heap.accounts().increment(Counter.LAUNCHES);
        return launch;
    }

    private Launch launch(DeviceKernel kernel, Plan plan, NDRange range, DeviceMirror mirror, LaunchGate.Needs needs) {
        LaunchGate.Enqueue enqueue = new Enqueue(kernel, plan, range, mirror);
        LaunchGate.Passed passed = gate.enter(mirror, needs, enqueue);
        return passed != null
                ? new Launch(passed, Launch.Moves.NONE)
                : new Attempt(kernel, plan, needs, enqueue, mirror).run();
    }

    /// A kernel with its arguments, ready to be enqueued by either side.
    private record Enqueue(DeviceKernel kernel, Plan plan, NDRange range, DeviceMirror mirror) implements LaunchGate.Enqueue {

        @Override
        public String kernelName() {
            return kernel.name();
        }

        @Override
        public Completion fromJava() {
            return withArguments(arguments -> kernel.launch(arguments, range));
        }

        @Override
        public @Nullable Completion fromNative(NativeEnqueue enqueue) {
            return withArguments(arguments -> kernel.launch(arguments, range, enqueue));
        }

        private <T extends @Nullable Completion> T withArguments(Function<List<KernelArgument>, T> launch) {
            List<DeviceMemory> windows = new ArrayList<>(plan.passed().size());
            try {
                List<KernelArgument> arguments = new ArrayList<>(plan.passed().size());
                for (Plan.Passed passed : plan.passed()) {
                    arguments.add(switch (passed) {
                        case Plan.Passed.Range(var bytes) -> memory(mirror.argument(bytes), windows);
                        case Plan.Passed.Image() when plan.paged().isEmpty() -> memory(mirror.image(), windows);
                        case Plan.Passed.Image() -> new KernelArgument.Memory(mirror.pool().pagedMemory());
                        case Plan.Passed.Table() -> new KernelArgument.Memory(Objects.requireNonNull(mirror.deviceTable()).memory());
                        case Plan.Passed.Items() -> new KernelArgument.Memory(Objects.requireNonNull(mirror.deviceTable()).items());
                        case Plan.Passed.Value(var bytes) -> new KernelArgument.Value(bytes);
                        case Plan.Passed.Local(var lengthBytes) -> new KernelArgument.Local(lengthBytes);
                    });
                }
                return launch.apply(arguments);
            } finally {
                for (int i = 0; i < windows.size(); i++) {
                    releaseQuietly(mirror, windows.get(i));
                }
            }
        }
    }

    /// The kernel may be enqueued already: that a window cannot be closed must not make it look as if it were not.
    private static void releaseQuietly(DeviceMirror mirror, DeviceMemory window) {
        try {
            mirror.release(window);
        } catch (HmmException e) {
            warn("a window of {} is not released", mirror, e);
        }
    }

    /// Never fails: whatever is told of has happened already.
    private static void warn(String message, DeviceMirror mirror, HmmException e) {
        try {
            LOG.warn(message, mirror, e);
        } catch (OutOfMemoryError _) {
            return;
        }
    }

    private static KernelArgument memory(DeviceMemory window, List<DeviceMemory> windows) {
        windows.add(window); // there is room
        return new KernelArgument.Memory(window);
    }

    private void refuseOwnView(DeviceKernel kernel, List<PageUse> uses) {
        HostView own = pager.ownConflict(uses).orElse(null);
        if (own != null) {
            throw new IllegalStateException("launch of kernel=%s would wait for ever for the calling thread's own %s; close it first"
                    .formatted(kernel.name(), own));
        }
    }

    private void awaitViews(DeviceKernel kernel, List<PageUse> uses, long viewsClosed, long startNanos) {
        heap.accounts().increment(Counter.LAUNCH_WAITS);
        if (!pager.awaitClosing(viewsClosed, startNanos + timeout.toNanos())) {
            throw new LaunchBlockedException(kernel.name(), Duration.ofNanos(System.nanoTime() - startNanos).toMillis(),
                    pager.conflict(uses).orElse("a view that has been closed meanwhile"));
        }
    }

    /// A launch that goes through the device's page table: round by round, until every work-item has come to its end. Only the last round is the caller's to wait for, and it has ended.
    private final class PagedLaunch {

        private final DeviceKernel kernel;
        private final NDRange range;
        private final DeviceMirror mirror;
        private final DeviceTable table;
        private final List<PageUse> pages;
        private final DeviceFaults faults;
        private final long startNanos = System.nanoTime();
        private Plan plan;
        private long viewsClosed;
        private long pagesMoved;
        private long bytesCopied;
        private int rounds;

        PagedLaunch(DeviceKernel kernel, Plan plan, NDRange range, DeviceMirror mirror) {
            this.kernel = kernel;
            this.plan = plan;
            this.range = range;
            this.mirror = mirror;
            table = Objects.requireNonNull(mirror.deviceTable(), "only kernels compiled with it go through it");
            pages = plan.paged();
            faults = new DeviceFaults(heap, placer, evictor, toDevice, mirror, kernel.name(), pages, plan.windows());
        }

        Launch run() {
            table.turn().lock();
            try {
                table.begin(range.items());
                FaultRound seen = null;
                while (true) {
                    Launch launch = ended(round(seen));
                    seen = table.endRound();
                    refuse(seen.violation());
                    if (!seen.unfinished()) {
                        return launch.after(new Launch.Moves(pagesMoved + faults.pagesMoved(), bytesCopied + faults.bytesCopied(), rounds));
                    }
                }
            } finally {
                table.turn().unlock();
            }
        }

        private Launch ended(Launch launch) {
            boolean well = false;
            try {
                launch.await();
                well = true;
                return launch;
            } finally {
                table.ended(well);
            }
        }

        /// What was missing in the round before is brought and the kernel enqueued under one hold of the lock: in between, others would take it away again.
        private Launch round(@Nullable FaultRound before) {
            Launch launch = null;
            mirror.lock().lock();
            try {
                if (before != null) {
                    viewsClosed = pager.closedCount();
                    faults.serve(before);
                }
                table.beginRound(faults.limit());
                if (!faults.isPinned() && !faults.isHopeless()) {
                    launch = enter();
                }
            } finally {
                mirror.lock().unlock();
            }
            if (faults.isHopeless()) {
                throw new LaunchBlockedException(kernel.name(), Duration.ofNanos(System.nanoTime() - startNanos).toMillis(),
                        "threads that take them away as often as they come");
            }
            if (launch == null) {
                waitForOthers();
                launch = launch(kernel, plan, range, mirror, needs());
            }
            plan = plan.again();
            rounds += Math.max(1, launch.moves().rounds());
            pagesMoved += launch.moves().pagesMoved();
            bytesCopied += launch.moves().bytesCopied();
            return launch;
        }

        private @Nullable Launch enter() {
            LaunchGate.Passed passed = gate.enter(mirror, needs(), new Enqueue(kernel, plan, range, mirror));
            return passed == null ? null : new Launch(passed, Launch.Moves.NONE);
        }

        private LaunchGate.Needs needs() {
            return new LaunchGate.Needs(plan.uses(), plan.windows(), table.show(pages));
        }

        private void waitForOthers() {
            if (faults.isPinned()) {
                awaitViews(kernel, pages, viewsClosed, startNanos);
            }
        }

        private void refuse(FaultRound.@Nullable Violation violation) {
            if (violation != null) {
                throw AccessViolationException.ofKernel(kernel.name(),
                        violation.crossesPage() ? AccessViolationException.Kind.CROSSES_PAGE : AccessViolationException.Kind.OUTSIDE,
                        violation.write(), violation.addressBytes(), "workItem=" + violation.item());
            }
        }
    }

    /// A launch whose pages were not all there.
    private final class Attempt {

        private final DeviceKernel kernel;
        private final Plan plan;
        private final LaunchGate.Needs needs;
        private final List<PageUse> uses;
        private final LaunchGate.Enqueue enqueue;
        private final DeviceMirror mirror;
        private final long startNanos = System.nanoTime();
        private UndoLog undo;
        private long pagesMoved;
        private long bytesCopied;
        private int rounds;
        private int losses;

        Attempt(DeviceKernel kernel, Plan plan, LaunchGate.Needs needs, LaunchGate.Enqueue enqueue, DeviceMirror mirror) {
            this.kernel = kernel;
            this.plan = plan;
            this.needs = needs;
            uses = needs.uses();
            this.enqueue = enqueue;
            this.mirror = mirror;
            undo = new UndoLog(heap, mirror);
        }

        Launch run() {
            while (true) {
                long viewsClosed = pager.closedCount();
                LaunchGate.Passed passed = moveAndEnter();
                if (passed != null) {
                    return new Launch(passed, new Launch.Moves(pagesMoved, bytesCopied, rounds));
                }
                try {
                    goRound(viewsClosed);
                } catch (RuntimeException | Error e) {
                    giveBack();
                    throw e;
                }
            }
        }

        private void goRound(long viewsClosed) {
            if (isPinned()) {
                awaitViews(viewsClosed);
            } else {
                losses++;
                heap.accounts().increment(Counter.LAUNCH_RETRIES);
                report(heap.timeline().replay(), false);
            }
        }

        private LaunchGate.@Nullable Passed moveAndEnter() {
            rounds++;
            mirror.lock().lock();
            try {
                if (losses < PATIENCE) {
                    move();
                    return depart(enter(gate.enter(mirror, needs, enqueue)));
                }
                try (HostLock.Hold _ = hostLock.exclusive()) {
                    move();
                    return depart(enter(gate.insist(mirror, needs, enqueue, undo)));
                }
            } catch (RuntimeException | Error e) {
                toDevice.undo(undo);
                throw e;
            } finally {
                mirror.lock().unlock();
            }
        }

        private void move() {
            if (needs.table() != null) {
                placer.placePaged(mirror, plan.windows());
            }
            placer.place(mirror, plan.windows());
            for (Plan.Need need : plan.needs()) {
                MigrationReport report =
                        toDevice.migrate(mirror, need.pages(), need.intent(), ToDevice.Effort.EVERY_PAGE, Cause.LAUNCH, undo);
                pagesMoved += report.count(PageOutcome.MOVED);
                bytesCopied += report.bytesCopied();
            }
        }

        private LaunchGate.@Nullable Passed enter(LaunchGate.@Nullable Passed passed) {
            if (passed == null && plan.overwrites()) {
                putBack(); // the old contents of an output are on the host only: nobody may fetch what its frames hold
            }
            return passed;
        }

        /// The launch has passed: what it writes is on the device for good.
        private LaunchGate.@Nullable Passed depart(LaunchGate.@Nullable Passed passed) {
            if (passed != null) {
                try {
                    for (int i = 0; i < uses.size(); i++) {
                        if (uses.get(i).writes()) {
                            departure.left(mirror, uses.get(i).pages());
                        }
                    }
                } catch (HmmException e) {
                    warn("host memory of pages on {} stays", mirror, e); // the kernel is enqueued, and that must not look as if it were not
                }
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
                Launcher.this.awaitViews(kernel, uses, viewsClosed, startNanos);
            } finally {
                report(event, true);
            }
        }

        private void giveBack() {
            mirror.lock().lock();
            try {
                toDevice.undo(undo);
            } finally {
                mirror.lock().unlock();
            }
        }

        private void putBack() {
            toDevice.undo(undo);
            undo = new UndoLog(heap, mirror);
        }
    }
}
