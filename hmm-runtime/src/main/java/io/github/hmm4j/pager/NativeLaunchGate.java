package io.github.hmm4j.pager;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.account.Direction;
import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.FrameRun;
import io.github.hmm4j.device.KernelArgument;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.KernelEnqueuedError;
import io.github.hmm4j.migrate.LaunchGate;
import io.github.hmm4j.migrate.Overwrites;
import io.github.hmm4j.migrate.UndoLog;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.DeviceTable;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.PageUse;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.Region;
import io.github.hmm4j.timeline.MigrationEvent;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/// The gate in native code: publish, check, enqueue in one call that no safepoint stops.
public final class NativeLaunchGate implements LaunchGate {

    private static final int EVENT = 13; // index in struct hmm_launch
    private static final int MOVED = 15;
    private static final int TABLE_BYTES = 10; // index in struct hmm_table

    private final ManagedPages heap;
    private final long pager;

    public NativeLaunchGate(ManagedPages heap, NativePager pager) {
        this.heap = heap;
        this.pager = pager.handle();
    }

    @Override
    public @Nullable Passed enter(DeviceMirror mirror, Needs needs, Enqueue enqueue, @Nullable Overwrites overwrites) {
        return pass(mirror, needs, enqueue, overwrites, null);
    }

    @Override
    public @Nullable Passed insist(DeviceMirror mirror, Needs needs, Enqueue enqueue, @Nullable Overwrites overwrites, UndoLog undo) {
        assert mirror.lock().isShut(); // native code writes whose bytes frames hold
        return pass(mirror, needs, enqueue, overwrites, undo);
    }

    /// A kernel's arguments are made of frames before the native call, so these must not change from the look at them until it returns: the device's lock, which is shared all that time, sees to it ([DeviceMirror#isPlaced]).
    ///
    /// @param undo where moved pages are noted by a launch that insists, or null
    private @Nullable Passed pass(DeviceMirror mirror, Needs needs, Enqueue enqueue, @Nullable Overwrites overwrites, @Nullable UndoLog undo) {
        mirror.lock().share();
        try {
            return needs.isTableThere(mirror) && arePlaced(mirror, needs.windows()) ? passPlaced(mirror, needs, enqueue, overwrites, undo) : null;
        } finally {
            mirror.lock().unshare();
        }
    }

    private static boolean arePlaced(DeviceMirror mirror, List<PageRange> windows) {
        for (PageRange window : windows) {
            if (!mirror.isPlaced(window) || mirror.frameOf(window.first()) < 0) {
                return false;
            }
        }
        return true;
    }

    private @Nullable Passed passPlaced(DeviceMirror mirror, Needs needs, Enqueue enqueue, @Nullable Overwrites overwrites, @Nullable UndoLog undo) {
        List<PageUse> uses = needs.uses();
        List<PageRange> windows = needs.windows();
        List<PageUse> published = needs.published();
        boolean insist = undo != null;
        MigrationEvent event = insist ? heap.timeline().migration() : null;
        Completion completion = enqueue.by((queue, kernel, offset, global, local, copies, lost) -> {
            try (CallMemory call = new CallMemory()) {
                MemorySegment moves = undo == null ? MemorySegment.NULL : movesOf(call, uses, undo);
                MemorySegment table = needs.table() == null ? MemorySegment.NULL : tableOf(call, mirror, needs.table());
                MemorySegment request = call.allocateFrom(JAVA_LONG,
                        mirror.index(), usesOf(call, published).address(), published.size(), insist ? windowsOf(call, windows).address() : 0, insist ? windows.size() : 0, mirror.tick(),
                        insist ? 1 : 0, insist ? regionsOf(call, windows).address() : 0, queue, kernel, global.length, call.allocateFrom(JAVA_LONG, global).address(),
                        local.length == 0 ? 0 : call.allocateFrom(JAVA_LONG, local).address(), 0, 0, 0,
                        call.allocateFrom(enqueue.kernelName()).address(), moves.address(),
                        published.size() - uses.size(), table.address(), copiesOf(call, copies).address(),
                        copies.size(), 0, call.allocateFrom(JAVA_LONG, offset).address(),
                        overwrites == null ? 0 : overwritesOf(call, overwrites).address(), overwrites == null ? 0 : overwrites.size());
                MemorySegment failure = call.allocate(JAVA_LONG, PagerCalls.FAILURE_WORDS);
                int result = PagerCalls.launch(pager, request, failure);
                long launched = request.getAtIndex(JAVA_LONG, EVENT);
                long moved = request.getAtIndex(JAVA_LONG, MOVED);
                if (launched == 0 && moved > 0 && undo != null) {
                    note(undo, uses, moves);
                }
                count(mirror, needs, table, moved, event);
                if (result != 0 && launched == 0) {
                    throw NativeFailure.of(heap, failure, true, "launch on " + mirror);
                } else if (result != 0) { // the kernel has run
                    lost.lose(whyLost(failure, mirror));
                }
                return launched;
            }
        });
        try {
            return completion == null ? null : new Passed(completion, () -> ended(mirror, published, completion));
        } catch (OutOfMemoryError _) {
            throw KernelEnqueuedError.get();
        }
    }

    private Throwable whyLost(MemorySegment failure, DeviceMirror mirror) {
        try {
            return NativeFailure.of(heap, failure, true, "launch on " + mirror);
        } catch (OutOfMemoryError e) {
            return e;
        }
    }

    /// Never fails: the kernel may be enqueued.
    private void count(DeviceMirror mirror, Needs needs, MemorySegment table, long moved, @Nullable MigrationEvent event) {
        try {
            if (needs.table() != null) {
                heap.accounts().add(Counter.TABLE_BYTES, table.getAtIndex(JAVA_LONG, TABLE_BYTES));
            }
            countMoved(mirror, needs.uses(), moved, event);
        } catch (OutOfMemoryError _) {
            return;
        }
    }

    /// Native code sees the end by itself, and poisons what a failed kernel was to write; but whoever hears of the failure from us shall find that done.
    private void ended(DeviceMirror mirror, List<PageUse> uses, Completion completion) {
        try {
            completion.await(); // it has ended
        } catch (HmmException e) {
            uses.stream().filter(PageUse::writes).forEach(use -> heap.inFlight().awaitUsesOn(mirror.index(), use.pages()));
        }
    }

    /// Where native code notes what it moves. What undoing takes is reserved here, before anything moves.
    private static MemorySegment movesOf(SegmentAllocator call, List<PageUse> uses, UndoLog undo) {
        long pages = uses.stream().mapToLong(use -> use.pages().count()).sum();
        undo.reserve(Math.toIntExact(pages));
        uses.forEach(use -> undo.expect(use.pages()));
        return call.allocate(JAVA_LONG, Math.max(1, pages * PagerCalls.MOVE_WORDS));
    }

    private static MemorySegment overwritesOf(SegmentAllocator call, Overwrites overwrites) {
        MemorySegment memory = call.allocate(JAVA_LONG, Math.max(1, overwrites.size() * (long) PagerCalls.OVERWRITE_WORDS));
        long[] at = {0};
        overwrites.forEach((page, claim, before) -> {
            memory.setAtIndex(JAVA_LONG, at[0]++, page);
            memory.setAtIndex(JAVA_LONG, at[0]++, claim);
            memory.setAtIndex(JAVA_LONG, at[0]++, before);
        });
        return memory;
    }

    /// Nothing ran: what was moved goes back with what the launch had moved before.
    private static void note(UndoLog undo, List<PageUse> uses, MemorySegment moves) {
        long at = 0;
        for (PageUse use : uses) {
            for (long page = use.pages().first(); page < use.pages().end(); page++, at += PagerCalls.MOVE_WORDS) {
                long committed = moves.getAtIndex(JAVA_LONG, at);
                if (committed != 0) {
                    undo.add(page, committed, moves.getAtIndex(JAVA_LONG, at + 1));
                }
            }
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

    private static MemorySegment tableOf(SegmentAllocator call, DeviceMirror mirror, DeviceTable.Update update) {
        DeviceTable.NativeTable table = update.table().nativeTable();
        FrameRun frames = mirror.pool().pagedFrames();
        return call.allocateFrom(JAVA_LONG, table.image(), table.memory(), table.offsetBytes(), table.host(), frames.first(), frames.count(),
                usesOf(call, update.entries()).address(), update.entries().size(), windowsOf(call, update.cleared()).address(), update.cleared().size(), 0);
    }

    static MemorySegment copiesOf(SegmentAllocator call, List<KernelArgument.Copied> copies) {
        return copies.isEmpty() ? MemorySegment.NULL : call.allocateFrom(JAVA_LONG, copies.stream().flatMapToLong(copy -> LongStream.of(
                copy.from().nativeHandle(), (copy.from().nativeHandle() == 0 ? copy.from().hostAddressBytes() : 0) + copy.offsetBytes(), copy.copy().nativeHandle(), copy.copy().lengthBytes(), copy.writes() ? 1 : 0)).toArray());
    }

    static MemorySegment usesOf(SegmentAllocator call, List<PageUse> uses) {
        MemorySegment memory = call.allocate(JAVA_LONG, Math.max(1, uses.size() * (long) PagerCalls.USE_WORDS));
        for (int i = 0; i < uses.size(); i++) {
            set(memory, i, uses.get(i).pages(), uses.get(i).writes(), uses.get(i).inPlace());
        }
        return memory;
    }

    private static MemorySegment windowsOf(SegmentAllocator call, List<PageRange> windows) {
        MemorySegment memory = call.allocate(JAVA_LONG, Math.max(1, windows.size() * (long) PagerCalls.USE_WORDS));
        for (int i = 0; i < windows.size(); i++) {
            set(memory, i, windows.get(i), false, false);
        }
        return memory;
    }

    /// Whose bytes the frames of each window hold afterwards.
    private MemorySegment regionsOf(SegmentAllocator call, List<PageRange> windows) {
        MemorySegment ids = call.allocate(JAVA_INT, Math.max(1, windows.size()));
        for (int i = 0; i < windows.size(); i++) {
            ids.setAtIndex(JAVA_INT, i, heap.space().regionAt(heap.space().addressOf(windows.get(i).first())).map(Region::id).orElse(0));
        }
        return ids;
    }

    private static void set(MemorySegment uses, int i, PageRange pages, boolean writes, boolean inPlace) {
        long at = (long) i * PagerCalls.USE_WORDS;
        uses.setAtIndex(JAVA_LONG, at, pages.first());
        uses.setAtIndex(JAVA_LONG, at + 1, pages.end());
        uses.setAtIndex(JAVA_LONG, at + 2, writes ? 1 : 0);
        uses.setAtIndex(JAVA_LONG, at + 3, inPlace ? 1 : 0);
    }
}
