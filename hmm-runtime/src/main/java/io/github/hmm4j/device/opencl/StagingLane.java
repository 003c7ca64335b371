package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.CopyRun;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.timeline.CommandEvent;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.IntToLongFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// One direction of an engine that stages: a ring of slots in pinned memory, and the transfers in flight, oldest first.
/// What the slots are and which commands carry their bytes is [StagingSlots]' to say.
///
/// A slot is free again when its transfer has *retired*: its commands have ended and, towards the host, its bytes have
/// been copied out. Transfers retire in order, by whoever waits: a caller of `await`, of `isDone`, or one who needs the
/// slot.
final class StagingLane {

    enum Direction { TO_DEVICE, TO_HOST }

    private record Transfer(Batch batch, StagingSlot slot, List<StagedPiece> pieces, Completion completion) {}

    private final ClDevice device;
    private final ClQueue queue;
    private final StagingSlots slots;
    private final HostCopier copier;
    private final Direction direction;
    private final Scatter scatter;

    private final ReentrantLock lock = new ReentrantLock();
    private final Deque<Transfer> inFlight = new ArrayDeque<>();
    /// The first `freeCount` are free. An array, so that giving one back cannot fail for want of Java heap: a slot that is lost with every such failure is missed until there is none.
    private final StagingSlot[] freeSlots = new StagingSlot[StagedCopyEngine.SLOTS];
    private int freeCount = StagedCopyEngine.SLOTS;
    /// Whether a kernel carries what the copies' queue does not know of.
    private volatile boolean kernelUnderWay;
    private boolean open;
    private boolean closed;

    StagingLane(ClDevice device, HostCopier copier, StagingSlots slots) {
        this.device = device;
        this.queue = slots.queue;
        this.slots = slots;
        this.copier = copier;
        this.direction = slots.direction;
        this.scatter = new Scatter(device, direction == Direction.TO_DEVICE ? device.scatterAsked() : ScatterMode.COMMANDS);
        Arrays.setAll(freeSlots, _ -> new StagingSlot());
    }

    Completion submit(List<CopyRun> runs) {
        if (runs.isEmpty()) {
            return Completion.DONE;
        }
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("copy engine is closed, device=" + device);
            }
            openSlots();
            List<List<StagedPiece>> transfers = StagedPiece.cut(runs, StagedCopyEngine.SLOT_BYTES);
            if (scatter.isToBeTried(transfers)) {
                retireAll();
                scatter.tryOut(this::carry);
            }
            return begun(transfers, scatter::kernelFor);
        } finally {
            lock.unlock();
        }
    }

    private Batch begun(List<List<StagedPiece>> transfers, Function<List<StagedPiece>, @Nullable RunKernel> kernelFor) {
        var batch = new Batch();
        try {
            for (List<StagedPiece> pieces : transfers) {
                start(batch, pieces, kernelFor.apply(pieces));
            }
        } catch (RuntimeException | Error e) {
            withdraw(batch);
            throw e;
        }
        batch.sealed = true;
        batch.updateDone();
        return batch;
    }

    private void carry(List<List<StagedPiece>> transfers, @Nullable RunKernel kernel) {
        begun(transfers, _ -> kernel).await();
    }

    private void retireAll() {
        while (!inFlight.isEmpty()) {
            retireOldest();
        }
    }

    void close() {
        lock.lock();
        try {
            closed = true;
            retireAll();
            new Cleanup().run(scatter::close).run(() -> slots.close(Arrays.asList(freeSlots).subList(0, freeCount))).end();
        } finally {
            lock.unlock();
        }
    }

    private void openSlots() {
        if (!open) {
            slots.open(freeSlots); // all are free
            open = true;
        }
    }

    /// Starts the transfer of one slot; the flush sets it going while the host works on the next slot.
    ///
    /// @param wanted what is to carry the pieces, if there is memory for that; null for a command for each
    private void start(Batch batch, List<StagedPiece> pieces, @Nullable RunKernel wanted) {
        while (freeCount == 0) {
            if (inFlight.isEmpty()) {
                throw ClStatus.failure(-2, slots.call(), "device=" + device + ", commands that do not end have all staging memory");
            }
            retireOldest();
        }
        StagingSlot slot = freeSlots[freeCount - 1];
        RunKernel kernel = wanted != null && isPreparedForKernel(slot) ? wanted : null;
        if (kernel == null) {
            orderBehindKernel();
        }
        if (direction == Direction.TO_DEVICE) {
            copier.gather(pieces, slots.toFill(slot, StagedPiece.end(pieces)));
        }
        var commands = new StagedCommands(2 * pieces.size() + 2); // a write and a kernel for each at most, with an unmap before and a map behind
        Supplier<String> detail = () -> "pieces=" + pieces.size() + ", device=" + device;
        IntToLongFunction bytesOf = commands::bytesOf;
        long mark = queue.mark();
        if (kernel != null) {
            kernelUnderWay = true;
        }
        try {
            slots.enqueue(slot, pieces, commands, kernel);
        } catch (RuntimeException e) {
            if (!commands.isEmpty() && ClCompletion.isGivenUp(queue.end(commands.events(), commands.count(), slots.call(), () -> "device=" + device))) {
                freeCount--;
            } else {
                slot.suspect = true;
            }
            throw e;
        } catch (Error e) { // whoever called it ends the batch
            slot.suspect = true;
            queue.release(commands.events(), commands.count());
            throw e;
        }
        Completion completion = queue.submit(commands.events(), commands.count(), slots.call(), detail, mark,
                direction == Direction.TO_DEVICE ? CommandEvent.Kind.COPY_TO_DEVICE : CommandEvent.Kind.COPY_TO_HOST, bytesOf);
        inFlight.addLast(new Transfer(batch, slot, pieces, completion));
        freeCount--;
        batch.open++;
    }

    /// What is enqueued in the copies' queue from now on has its effect after what was submitted here before, as if all of it went by that queue.
    void orderBehindKernel() {
        if (!kernelUnderWay) {
            return;
        }
        lock.lock();
        try {
            scatter.orderCopiesBehind();
            kernelUnderWay = false;
        } finally {
            lock.unlock();
        }
    }

    private boolean isPreparedForKernel(StagingSlot slot) {
        try {
            slots.prepareForKernel(slot);
            return true;
        } catch (HmmException e) {
            scatter.giveUp(e);
            return false;
        }
    }

    /// Waits for the oldest transfer and finishes it. Its failure is kept for its batch. If the Java heap fails, it stays the oldest, and whoever comes next finishes it.
    private void retireOldest() {
        Transfer oldest = inFlight.getFirst();
        try {
            oldest.completion().await();
            if (direction == Direction.TO_HOST) {
                copier.scatter(oldest.pieces(), oldest.slot().addressBytes);
            }
            oldest.batch().took(oldest.completion().deviceNanos());
        } catch (HmmException e) {
            oldest.batch().fail(e);
            oldest.slot().suspect = true;
        }
        boolean isGivenUp = ClCompletion.isGivenUp(oldest.completion());
        inFlight.removeFirst(); // from here on nothing can fail
        release(oldest.slot(), isGivenUp);
        oldest.batch().open--;
        oldest.batch().updateDone();
    }

    /// The slot of a command that may still be running is never used again.
    private void release(StagingSlot slot, boolean isGivenUp) {
        if (!isGivenUp) {
            freeSlots[freeCount] = slot;
            freeCount++;
        }
    }

    /// Waits for what a failed batch has enqueued and forgets it, without a copy to the host. Takes nothing from the Java heap, which may be what failed.
    private void withdraw(Batch batch) {
        scatter.finishSurely();
        queue.finishSurely(); // also for commands that did not come to be in flight: their slot is going to be used again
        while (!inFlight.isEmpty() && inFlight.getLast().batch() == batch) { // behind all others
            Transfer transfer = inFlight.removeLast();
            ClQueue.endQuietly(transfer.completion());
            transfer.slot().suspect = true;
            release(transfer.slot(), ClCompletion.isGivenUp(transfer.completion()));
        }
    }

    /// The runs of one submit. All fields but `done` belong to the lock of the lane.
    private final class Batch implements Completion {

        private int open;
        private boolean sealed;
        private long nanos;
        private @Nullable HmmException failure;
        /// Written last.
        private volatile boolean done;

        @Override
        public boolean isDone() {
            if (!done && lock.tryLock()) {
                try {
                    while (!done && inFlight.getFirst().completion().isDone()) {
                        retireOldest();
                    }
                } finally {
                    lock.unlock();
                }
            }
            return done;
        }

        @Override
        public void await() {
            if (!done) {
                lock.lock();
                try {
                    while (!done) {
                        retireOldest();
                    }
                } finally {
                    lock.unlock();
                }
            }
            if (failure != null) {
                throw failure;
            }
        }

        @Override
        public long deviceNanos() {
            return done ? nanos : -1;
        }

        /// @param pieceNanos -1 if not known, which makes the whole unknown
        private void took(long pieceNanos) {
            nanos = nanos < 0 || pieceNanos < 0 ? -1 : nanos + pieceNanos;
        }

        private void fail(HmmException e) {
            if (failure == null) {
                failure = e;
            }
        }

        private void updateDone() {
            done = sealed && open == 0;
        }
    }
}
