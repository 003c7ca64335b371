package io.github.hmm4j.device.opencl;

import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Slots of the staged engine: parts of one piece of [pinned memory][PinnedMemory]. They are the **host** side of
/// `clEnqueueWriteBuffer` and `clEnqueueReadBuffer`, because a buffer must not be used as a buffer while it is mapped.
final class TransferSlots extends StagingSlots {

    /// Null until first used.
    private @Nullable PinnedMemory ring;

    TransferSlots(ClDevice device, StagingLane.Direction direction) {
        super(device, direction);
    }

    @Override
    void open(StagingSlot[] empty) {
        PinnedMemory mapped = device.keep(new PinnedMemory(device, (long) empty.length * StagedCopyEngine.SLOT_BYTES));
        ring = mapped;
        for (int i = 0; i < empty.length; i++) {
            empty[i].addressBytes = mapped.addressBytes() + (long) i * StagedCopyEngine.SLOT_BYTES;
        }
    }

    @Override
    long toFill(StagingSlot slot, long lengthBytes) {
        return slot.addressBytes;
    }

    @Override
    void prepareForKernel(StagingSlot slot) {
        if (slot.packed == null) {
            slot.packed = device.keep(ClMemory.scratch(device, StagedCopyEngine.SLOT_BYTES));
        }
    }

    @Override
    void enqueue(StagingSlot slot, List<StagedPiece> pieces, StagedCommands commands, @Nullable RunKernel kernel) {
        if (kernel != null) {
            enqueueByKernel(slot, pieces, commands, kernel);
            return;
        }
        for (StagedPiece piece : pieces) {
            long memory = piece.memory().handle();
            long address = slot.addressBytes + piece.slotOffsetBytes();
            long event = toDevice()
                    ? api.enqueueWrite(queue.handle(), memory, piece.offsetBytes(), piece.lengthBytes(), address, true)
                    : api.enqueueRead(queue.handle(), memory, piece.offsetBytes(), piece.lengthBytes(), address, true);
            commands.add(event, piece.lengthBytes());
        }
    }

    /// One command over the bus for as many pieces as a kernel takes, and that behind it: while it works, the next are on the bus.
    private void enqueueByKernel(StagingSlot slot, List<StagedPiece> pieces, StagedCommands commands, RunKernel kernel) {
        long packed = Objects.requireNonNull(slot.packed).handle();
        for (List<StagedPiece> group : RunKernel.groups(pieces)) {
            long first = group.getFirst().slotOffsetBytes();
            long bytes = StagedPiece.end(group) - first;
            long written = api.enqueueWrite(queue.handle(), packed, first, bytes, slot.addressBytes + first, true);
            commands.add(written, bytes);
            kernel.after(written);
            kernel.enqueue(packed, group, commands);
        }
    }

    @Override
    String call() {
        return toDevice() ? "clEnqueueWriteBuffer" : "clEnqueueReadBuffer";
    }

    @Override
    void close(Collection<StagingSlot> free) {
        var cleanup = new Cleanup();
        for (StagingSlot slot : free) {
            ClMemory packed = slot.packed;
            if (packed != null) {
                cleanup.run(packed::close);
            }
        }
        if (ring != null && free.size() == StagedCopyEngine.SLOTS) { // else a command may still use it
            cleanup.run(ring::close);
        }
        cleanup.end();
    }
}
