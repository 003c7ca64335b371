package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.CopyRun;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.timeline.CommandEvent;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// One direction of the staged engine: a ring of slots in pinned memory, and the transfers in flight, oldest first.
///
/// The pinned memory is a buffer kept mapped; it is the **host** side of `clEnqueueWriteBuffer` and
/// `clEnqueueReadBuffer`, because a buffer must not be used as a buffer while it is mapped, and mapping it anew for
/// every slot would cost more than the transfer.
///
/// A slot is free again when its transfer has *retired*: its command has ended and, towards the host, its bytes have
/// been copied out. Transfers retire in order, by whoever waits: a caller of `await`, of `isDone`, or one who needs the
/// slot.
final class StagingLane {

    enum Direction { TO_DEVICE, TO_HOST }

    private static final long NAP_NANOS = 100_000;

    /// @param slot as it is in the list of free ones: a slot can be given back also when the Java heap is full
    private record Transfer(Batch batch, Long slot, List<StagedPiece> pieces, Completion completion) {}

    private final ClDevice device;
    private final ClApi api;
    private final ClQueue queue;
    private final HostCopier copier;
    private final Direction direction;

    private final ReentrantLock lock = new ReentrantLock();
    private final Deque<Transfer> inFlight = new ArrayDeque<>();
    private final Deque<Long> freeSlots = new ArrayDeque<>();
    /// The mapped buffer and its address; 0 until first used.
    private long ring;
    private long ringAddress;
    private boolean closed;

    StagingLane(ClDevice device, HostCopier copier, Direction direction) {
        this.device = device;
        this.api = device.api();
        this.queue = device.copy();
        this.copier = copier;
        this.direction = direction;
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
            openRing();
            var batch = new Batch();
            try {
                for (List<StagedPiece> pieces : StagedPiece.cut(runs, StagedCopyEngine.SLOT_BYTES)) {
                    start(batch, pieces);
                }
            } catch (RuntimeException | Error e) {
                withdraw(batch);
                throw e;
            }
            batch.sealed = true;
            batch.updateDone();
            return batch;
        } finally {
            lock.unlock();
        }
    }

    void close() {
        lock.lock();
        try {
            closed = true;
            while (!inFlight.isEmpty()) {
                retireOldest();
            }
            if (ring != 0 && freeSlots.size() == StagedCopyEngine.SLOTS) { // else a command may still use it
                new Cleanup().run(() -> api.enqueueUnmap(queue.handle(), ring, ringAddress))
                        .run(queue::finish)
                        .run(() -> api.releaseMemory(ring))
                        .end();
            }
        } finally {
            lock.unlock();
        }
    }

    private void openRing() {
        if (ring != 0) {
            return;
        }
        long bytes = (long) StagedCopyEngine.SLOTS * StagedCopyEngine.SLOT_BYTES;
        long buffer = api.createBuffer(device.context(), Cl.MEM_READ_WRITE | Cl.MEM_ALLOC_HOST_PTR, bytes, 0);
        try {
            ringAddress = api.map(queue.handle(), buffer, Cl.MAP_READ | Cl.MAP_WRITE, 0, bytes);
        } catch (RuntimeException e) {
            new Cleanup(e).run(() -> api.releaseMemory(buffer));
            throw e;
        }
        ring = buffer;
        for (int i = 0; i < StagedCopyEngine.SLOTS; i++) {
            freeSlots.addLast(ringAddress + (long) i * StagedCopyEngine.SLOT_BYTES);
        }
    }

    /// Starts the transfer of one slot; the flush sets it going while the host works on the next slot.
    private void start(Batch batch, List<StagedPiece> pieces) {
        while (freeSlots.isEmpty()) {
            if (inFlight.isEmpty()) {
                throw ClStatus.failure(-2, call(), "device=" + device + ", commands that do not end have all staging memory");
            }
            retireOldest();
        }
        Long slot = freeSlots.getFirst();
        if (direction == Direction.TO_DEVICE) {
            copier.gather(pieces, slot);
        }
        List<Long> events = new ArrayList<>(pieces.size());
        long mark = queue.mark();
        try {
            for (StagedPiece piece : pieces) {
                events.add(enqueue(piece, slot));
            }
        } catch (RuntimeException e) {
            if (!events.isEmpty()) {
                if (ClCompletion.isGivenUp(queue.end(events, call(), () -> "device=" + device))) {
                    freeSlots.removeFirst();
                }
            }
            throw e;
        }
        Completion completion = queue.submit(events, call(), () -> "pieces=" + pieces.size() + ", device=" + device, mark,
                direction == Direction.TO_DEVICE ? CommandEvent.Kind.COPY_TO_DEVICE : CommandEvent.Kind.COPY_TO_HOST, i -> pieces.get(i).lengthBytes());
        freeSlots.removeFirst();
        inFlight.addLast(new Transfer(batch, slot, pieces, completion));
        batch.open++;
    }

    private long enqueue(StagedPiece piece, long slot) {
        long memory = piece.memory().handle();
        long address = slot + piece.slotOffsetBytes();
        return direction == Direction.TO_DEVICE
                ? api.enqueueWrite(queue.handle(), memory, piece.offsetBytes(), piece.lengthBytes(), address, true)
                : api.enqueueRead(queue.handle(), memory, piece.offsetBytes(), piece.lengthBytes(), address, true);
    }

    private String call() {
        return direction == Direction.TO_DEVICE ? "clEnqueueWriteBuffer" : "clEnqueueReadBuffer";
    }

    /// Waits for the oldest transfer and finishes it. Its failure is kept for its batch.
    private void retireOldest() {
        Transfer oldest = inFlight.getFirst();
        try {
            oldest.completion().await();
            oldest.batch().took(oldest.completion().deviceNanos());
            if (direction == Direction.TO_HOST) {
                copier.scatter(oldest.pieces(), oldest.slot());
            }
        } catch (HmmException e) {
            oldest.batch().fail(e);
        }
        inFlight.removeFirst();
        release(oldest);
        oldest.batch().open--;
        oldest.batch().updateDone();
    }

    /// The slot of a command that may still be running is never used again.
    private void release(Transfer transfer) {
        if (!ClCompletion.isGivenUp(transfer.completion())) {
            freeSlots.addLast(transfer.slot());
        }
    }

    /// Waits for what a failed batch has enqueued and forgets it, without a copy to the host. Takes nothing from the Java heap, which may be what failed.
    private void withdraw(Batch batch) {
        finish();
        for (int left = inFlight.size(); left > 0; left--) {
            Transfer transfer = inFlight.removeFirst();
            if (transfer.batch() == batch) {
                ClQueue.endQuietly(transfer.completion());
                release(transfer);
            } else {
                inFlight.addLast(transfer);
            }
        }
    }

    /// Also for commands that did not come to be in flight. Their slot is going to be used again, so a wait for which there is no memory is tried again.
    private void finish() {
        while (true) {
            try {
                queue.finish();
                return;
            } catch (HmmException e) {
                return; // one failure is being reported
            } catch (OutOfMemoryError e) {
                LockSupport.parkNanos(NAP_NANOS);
            }
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
