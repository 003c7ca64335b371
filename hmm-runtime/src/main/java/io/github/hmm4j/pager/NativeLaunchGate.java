package io.github.hmm4j.pager;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Direction;
import io.github.hmm4j.device.Completion;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.migrate.LaunchGate;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.PageUse;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.Region;
import io.github.hmm4j.timeline.MigrationEvent;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The gate in native code: publish, check, enqueue in one call that no safepoint stops.
public final class NativeLaunchGate implements LaunchGate {

    private static final int EVENT = 13; // index in struct hmm_launch
    private static final int MOVED = 15;

    private final ManagedPages heap;
    private final long pager;

    public NativeLaunchGate(ManagedPages heap, NativePager pager) {
        this.heap = heap;
        this.pager = pager.handle();
    }

    @Override
    public @Nullable Passed enter(DeviceMirror mirror, List<PageUse> uses, List<PageRange> windows, Enqueue enqueue) {
        return pass(mirror, uses, windows, enqueue, false);
    }

    @Override
    public @Nullable Passed insist(DeviceMirror mirror, List<PageUse> uses, List<PageRange> windows, Enqueue enqueue) {
        return pass(mirror, uses, windows, enqueue, true);
    }

    /// A kernel's arguments are made before the native call, so frames must not change until it returns: somebody who is just moving pages to this device sends the launch round.
    private @Nullable Passed pass(DeviceMirror mirror, List<PageUse> uses, List<PageRange> windows, Enqueue enqueue, boolean insist) {
        if (!mirror.lock().tryLock()) {
            return null;
        }
        try {
            boolean placed = windows.stream().allMatch(window -> mirror.isPlaced(window) && mirror.frameOf(window.first()) >= 0);
            return placed ? passPlaced(mirror, uses, windows, enqueue, insist) : null;
        } finally {
            mirror.lock().unlock();
        }
    }

    private @Nullable Passed passPlaced(DeviceMirror mirror, List<PageUse> uses, List<PageRange> windows, Enqueue enqueue, boolean insist) {
        MigrationEvent event = insist ? heap.timeline().migration() : null;
        Completion completion = enqueue.fromNative((queue, kernel, global, local) -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment request = arena.allocateFrom(JAVA_LONG,
                        mirror.index(), usesOf(arena, uses).address(), uses.size(), windowsOf(arena, windows).address(), windows.size(), mirror.tick(),
                        insist ? 1 : 0, insist ? regionsOf(arena, windows).address() : 0, queue, kernel, global.length, arena.allocateFrom(JAVA_LONG, global).address(),
                        local.length == 0 ? 0 : arena.allocateFrom(JAVA_LONG, local).address(), 0, 0, 0,
                        arena.allocateFrom(enqueue.name()).address());
                MemorySegment failure = arena.allocate(JAVA_LONG, PagerCalls.FAILURE_WORDS);
                if (PagerCalls.launch(pager, request, failure) != 0) {
                    throw NativeFailure.of(heap, failure, true, "launch on " + mirror);
                }
                countMoved(mirror, uses, request.getAtIndex(JAVA_LONG, MOVED), event);
                return request.getAtIndex(JAVA_LONG, EVENT);
            }
        });
        return completion == null ? null : new Passed(completion, () -> ended(mirror, uses, completion));
    }

    /// Native code sees the end by itself, and poisons what a failed kernel was to write; but whoever hears of the failure from us shall find that done.
    private void ended(DeviceMirror mirror, List<PageUse> uses, Completion completion) {
        try {
            completion.await(); // it has ended
        } catch (HmmException e) {
            uses.stream().filter(PageUse::writes).forEach(use -> heap.inFlight().awaitUsesOn(mirror.index(), use.pages()));
        }
    }

    private void countMoved(DeviceMirror mirror, List<PageUse> uses, long pages, @Nullable MigrationEvent event) {
        if (pages == 0) {
            return;
        }
        long bytes = heap.space().pageSize().bytesFor(pages);
        heap.accounts().moved(Cause.LAUNCH, Direction.TO_DEVICE, pages, bytes);
        if (event != null) {
            long first = uses.stream().mapToLong(use -> use.pages().first()).min().orElseThrow();
            long end = uses.stream().mapToLong(use -> use.pages().end()).max().orElseThrow();
            event.of(Cause.LAUNCH, Direction.TO_DEVICE, "native");
            event.range(first, end - first, heap.space().addressOf(first));
            event.device(mirror.index(), mirror.deviceName());
            event.moved(pages, bytes);
            heap.timeline().end(event);
        }
    }

    private static MemorySegment usesOf(Arena arena, List<PageUse> uses) {
        MemorySegment memory = arena.allocate(JAVA_LONG, Math.max(1, uses.size() * (long) PagerCalls.USE_WORDS));
        for (int i = 0; i < uses.size(); i++) {
            set(memory, i, uses.get(i).pages(), uses.get(i).writes());
        }
        return memory;
    }

    private static MemorySegment windowsOf(Arena arena, List<PageRange> windows) {
        MemorySegment memory = arena.allocate(JAVA_LONG, Math.max(1, windows.size() * (long) PagerCalls.USE_WORDS));
        for (int i = 0; i < windows.size(); i++) {
            set(memory, i, windows.get(i), false);
        }
        return memory;
    }

    /// Whose bytes the frames of each window hold afterwards.
    private MemorySegment regionsOf(Arena arena, List<PageRange> windows) {
        MemorySegment ids = arena.allocate(JAVA_INT, Math.max(1, windows.size()));
        for (int i = 0; i < windows.size(); i++) {
            ids.setAtIndex(JAVA_INT, i, heap.space().regionAt(heap.space().addressOf(windows.get(i).first())).map(Region::id).orElse(0));
        }
        return ids;
    }

    private static void set(MemorySegment uses, int i, PageRange pages, boolean writes) {
        long at = (long) i * PagerCalls.USE_WORDS;
        uses.setAtIndex(JAVA_LONG, at, pages.first());
        uses.setAtIndex(JAVA_LONG, at + 1, pages.end());
        uses.setAtIndex(JAVA_LONG, at + 2, writes ? 1 : 0);
    }
}
