package io.github.hmm4j.conformance;

import io.github.hmm4j.Access;
import io.github.hmm4j.Arg;
import io.github.hmm4j.emulated.Call;
import io.github.hmm4j.emulated.EmulatedGpu;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.error.PagePoisonedException;
import io.github.hmm4j.pager.HostPin;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.ReentrantLock;
import org.opentest4j.TestAbortedException;

/// Opens a heap, says so, and does everything with it that takes locks, claims or frames, failures included. Argument:
/// a [Backend].
public final class EarlyClassesWorker {

    static final String OPENED = "opened";
    /// Exit status where the device turns out not to have what the backend is about.
    static final int SKIPPED = 3;

    private static final int PAGES = 4; // of each array: two fill the device

    private EarlyClassesWorker() {}

    public static void main(String[] args) {
        Backend backend = Backend.valueOf(args[0]);
        try (Rig rig = open(backend)) {
            System.out.println(OPENED);
            MemorySegment a = rig.ramp(PAGES, 1);
            MemorySegment b = rig.ramp(PAGES, 2);
            MemorySegment c = rig.ramp(PAGES, 3);
            try (var _ = rig.heap.mirror(a, new ReentrantLock(), _ -> { })) {
                for (MemorySegment array : new MemorySegment[] {a, b, c, a}) {
                    rig.launchAdd(rig.device(0), array, 1).await();
                }
                rig.launchCopy(rig.device(0), a, Arg.out(b)).await();
                views(rig, a);
                moves(rig, a, c);
                if (backend.hasReins()) {
                    failures(rig, a, c);
                }
                regions(rig, b);
            }
        }
        System.out.println("done");
    }

    private static Rig open(Backend backend) {
        try {
            return new Rig(backend.builder(1).pageSize(4096).heap(4L << 20).budget(2L * PAGES * 4096));
        } catch (TestAbortedException e) {
            System.out.println(e.getMessage());
            System.exit(SKIPPED);
            throw e;
        }
    }

    private static void views(Rig rig, MemorySegment a) {
        rig.read(a);
        try (HostView view = rig.heap.sharedView(a, Access.WRITE)) {
            view.segment().fill((byte) 1);
        }
        if (rig.isTransparent()) {
            rig.launchAdd(rig.device(0), a, 1).await();
            try (HostPin _ = rig.heap.pin(a, Access.WRITE)) {
                a.fill((byte) 1);
            }
        }
    }

    private static void moves(Rig rig, MemorySegment a, MemorySegment c) {
        rig.heap.prefetch(a, rig.device(0));
        rig.heap.migrate(c, rig.device(0));
        rig.heap.prefetchHost(a);
        rig.hmm.evictAll(rig.device(0));
    }

    /// A launch that fails when pages have moved for it, a copy that fails on either way, and a kernel that fails.
    private static void failures(Rig rig, MemorySegment a, MemorySegment c) {
        EmulatedGpu gpu = rig.gpu(0);
        Call toDevice = rig.device(0).copyEngine().equals("copy") ? Call.COPY : Call.WRITE;
        Call toHost = rig.device(0).copyEngine().equals("copy") ? Call.COPY : Call.READ;
        launchFails(rig, a, "launch", () -> gpu.fail(Call.LAUNCH, 1));
        launchFails(rig, a, "copy to the device", () -> gpu.fail(toDevice, 1));
        launchFails(rig, a, "kernel", () -> gpu.failEnd(Call.LAUNCH, 1));
        rig.heap.discard(a);
        rig.launchAdd(rig.device(0), c, 1).await();
        gpu.fail(toHost, 1);
        mustFail("fetch", () -> rig.heap.prefetchHost(c));
        rig.heap.prefetchHost(c);
    }

    private static void launchFails(Rig rig, MemorySegment a, String what, Runnable arm) {
        rig.hmm.evictAll(rig.device(0));
        arm.run();
        mustFail(what, () -> rig.launchAdd(rig.device(0), a, 1).await());
    }

    private static void mustFail(String what, Runnable operation) {
        try {
            operation.run();
        } catch (OpenClFailedException | PagePoisonedException e) {
            System.out.println("failed as it was to: " + what);
            return;
        }
        throw new AssertionError(what + " was to fail");
    }

    private static void regions(Rig rig, MemorySegment b) {
        MemorySegment moved = rig.heap.move(b);
        rig.heap.protect(moved, Protection.READ);
        rig.heap.protect(moved, Protection.READ_WRITE);
        rig.heap.discard(moved);
        rig.heap.free(moved);
        rig.heap.free(rig.pages(PAGES));
    }
}
