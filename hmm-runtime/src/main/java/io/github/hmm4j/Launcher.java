package io.github.hmm4j;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.device.KernelArgument;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.NativeEnqueue;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.LaunchBlockedException;
import io.github.hmm4j.migrate.HostLock;
import io.github.hmm4j.migrate.LaunchGate;
import io.github.hmm4j.migrate.MigrationReport;
import io.github.hmm4j.migrate.PageOutcome;
import io.github.hmm4j.migrate.Placer;
import io.github.hmm4j.migrate.ToDevice;
import io.github.hmm4j.migrate.UndoLog;
import io.github.hmm4j.mirror.DeviceMirror;
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
    private final ToDevice toDevice;
    private final LaunchGate gate;
    private final HostLock hostLock;
    private final Departure departure;
    private final Duration timeout;

    Launcher(ManagedPages heap, CheckedPager pager, Placer placer, ToDevice toDevice, LaunchGate gate, HostLock hostLock,
            Departure departure, Duration timeout) {
        this.heap = heap;
        this.pager = pager;
        this.placer = placer;
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
        event.of(kernel.name(), mirror.index(), mirror.deviceName(), bytesOf(plan.uses()));
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
        List<PageUse> uses = plan.uses();
        refuseOwnView(kernel, uses);
        LaunchGate.Enqueue enqueue = new Enqueue(kernel, plan, range, mirror);
        LaunchGate.Passed passed = gate.enter(mirror, uses, plan.windows(), enqueue);
        Launch launch = passed != null
                ? new Launch(passed, Launch.Moves.NONE)
                : new Attempt(kernel, plan, uses, enqueue, mirror).run();
        heap.accounts().increment(Counter.LAUNCHES);
        return launch;
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
                        case Plan.Passed.Image() -> memory(mirror.image(), windows);
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

    /// A launch whose pages were not all there.
    private final class Attempt {

        private final DeviceKernel kernel;
        private final Plan plan;
        private final List<PageUse> uses;
        private final LaunchGate.Enqueue enqueue;
        private final DeviceMirror mirror;
        private final long startNanos = System.nanoTime();
        private UndoLog undo;
        private long pagesMoved;
        private long bytesCopied;
        private int rounds;
        private int losses;

        Attempt(DeviceKernel kernel, Plan plan, List<PageUse> uses, LaunchGate.Enqueue enqueue, DeviceMirror mirror) {
            this.kernel = kernel;
            this.plan = plan;
            this.uses = uses;
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
                    return depart(enter(gate.enter(mirror, uses, plan.windows(), enqueue)));
                }
                try (HostLock.Hold _ = hostLock.exclusive()) {
                    move();
                    return depart(enter(gate.insist(mirror, uses, plan.windows(), enqueue, undo)));
                }
            } catch (RuntimeException | Error e) {
                toDevice.undo(undo);
                throw e;
            } finally {
                mirror.lock().unlock();
            }
        }

        private void move() {
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
            heap.accounts().increment(Counter.LAUNCH_WAITS);
            ReplayEvent event = heap.timeline().replay();
            boolean closed = pager.awaitClosing(viewsClosed, startNanos + timeout.toNanos());
            report(event, true);
            if (!closed) {
                throw new LaunchBlockedException(kernel.name(), Duration.ofNanos(System.nanoTime() - startNanos).toMillis(),
                        pager.conflict(uses).orElse("a view that has been closed meanwhile"));
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
