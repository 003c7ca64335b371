package io.github.hmm4j;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.migrate.LaunchGate;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.PageUse;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.timeline.LaunchEvent;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;

/// Takes a launch from its arguments to the device.
///
/// 1. Plan: ranges and modes from the arguments.
/// 2. Try the gate at once: resident data costs one look at each 2 MiB of it.
/// 3. Under the device's lock: frames in one piece, pages moved, the gate again.
/// 4. A page was lost to the host meanwhile: once more; after a few losses with the host held off, so that a launch always gets through.
/// 5. A view holds a page: wait for views to close, without any lock, up to the launch timeout. A view that only the launching thread can close is an error instead.
///
/// A kernel that goes through the device's page table takes rounds of these ([PagedLaunch]).
///
/// A device that refuses for want of memory gets some back and is asked again ([Relief]). If anything fails before the kernel is enqueued, the pages moved for it go back where they were; those evicted for it stay home. Threads: any.
final class Launcher {

    private final LaunchParts parts;
    private final ManagedPages heap;

    Launcher(LaunchParts parts) {
        this.parts = parts;
        heap = parts.heap();
    }

    /// @param intents of the kernel itself, by parameter
    Launch launch(DeviceKernel kernel, Map<Integer, Arg.Intent> intents, Object[] arguments, NDRange range, DeviceMirror mirror) {
        return launch(kernel, intents, arguments, range, mirror, List.of());
    }

    /// @param alive segments beside the arguments, whose arenas must not have been closed
    Launch launch(DeviceKernel kernel, Map<Integer, Arg.Intent> intents, Object[] arguments, NDRange range, DeviceMirror mirror, List<MemorySegment> alive) {
        LaunchEvent event = heap.timeline().launch();
        Plan plan = Plan.of(heap.space(), kernel, mirror, intents, arguments, range);
        plan.keep(alive);
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
        try {
            Launch launch = plan.goesThroughTable() ? new PagedLaunch(parts, kernel, plan, range, mirror).run() : plain(kernel, plan, range, mirror);
            heap.accounts().increment(Counter.LAUNCHES);
            return launch;
        } catch (IllegalArgumentException e) {
            plan.requireCurrent(); // that its memory was freed is told as that, and not as what that leaves behind
            throw e;
        } catch (AccessViolationException e) {
            plan.requireCurrent();
            throw e.ofLaunch(kernel.name());
        }
    }

    private Launch plain(DeviceKernel kernel, Plan plan, NDRange range, DeviceMirror mirror) {
        Relief relief = null;
        while (true) {
            try {
                return plainOnce(kernel, plan, range, mirror);
            } catch (OpenClFailedException e) { // nothing ran, and all is back where it was
                relief = relief == null ? new Relief(parts, mirror) : relief;
                relief.after(e, kernel.name(), bytesOf(plan.uses()));
            }
        }
    }

    private Launch plainOnce(DeviceKernel kernel, Plan plan, NDRange range, DeviceMirror mirror) {
        LaunchGate.Enqueue enqueue = new KernelEnqueue(kernel, plan, range, mirror, null);
        LaunchGate.Needs needs = new LaunchGate.Needs(plan.uses(), plan.windows(), null);
        LaunchGate.Passed passed = parts.gate().enter(mirror, needs, enqueue, null);
        return passed != null ? Launch.enqueued(kernel.name(), mirror, passed, 0, 0, 0) : new Attempt(parts, kernel, plan, enqueue, mirror).run(needs);
    }

    private void refuseOwnView(DeviceKernel kernel, List<PageUse> uses) {
        HostView own = parts.views().ownConflict(uses).orElse(null);
        if (own != null) {
            throw new IllegalStateException("launch of kernel=%s would wait for ever for the calling thread's own %s; close it first"
                    .formatted(kernel.name(), own));
        }
    }
}
