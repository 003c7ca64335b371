package io.github.hmm4j.device.opencl;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Slots of the staged engine: parts of one pinned buffer that is kept mapped. They are the **host** side of
/// `clEnqueueWriteBuffer` and `clEnqueueReadBuffer`, because a buffer must not be used as a buffer while it is mapped.
final class TransferSlots extends StagingSlots {

    /// The mapped buffer and its address; 0 until first used.
    private long ring;
    private long ringAddress;

    TransferSlots(ClDevice device, StagingLane.Direction direction) {
        super(device, direction);
    }

    @Override
    List<StagingSlot> open() {
        List<StagingSlot> slots = new ArrayList<>(StagedCopyEngine.SLOTS); // before there is a buffer, which nobody would release if the Java heap were full behind it
        for (int i = 0; i < StagedCopyEngine.SLOTS; i++) {
            slots.add(new StagingSlot());
        }
        long bytes = (long) StagedCopyEngine.SLOTS * StagedCopyEngine.SLOT_BYTES;
        long buffer = api.createBuffer(device.context(), Cl.MEM_READ_WRITE | Cl.MEM_ALLOC_HOST_PTR, bytes, 0);
        try {
            ringAddress = api.map(queue.handle(), buffer, Cl.MAP_READ | Cl.MAP_WRITE, 0, bytes);
        } catch (RuntimeException | Error e) {
            new Cleanup(e).run(() -> api.releaseMemory(buffer));
            throw e;
        }
        ring = buffer;
        for (int i = 0; i < StagedCopyEngine.SLOTS; i++) {
            slots.get(i).addressBytes = ringAddress + (long) i * StagedCopyEngine.SLOT_BYTES;
        }
        return slots;
    }

    @Override
    long toFill(StagingSlot slot, long lengthBytes) {
        return slot.addressBytes;
    }

    @Override
    void prepareForKernel(StagingSlot slot) {
        if (slot.packed == null) {
            slot.packed = ClMemory.scratch(device, StagedCopyEngine.SLOT_BYTES);
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
        if (ring != 0 && free.size() == StagedCopyEngine.SLOTS) { // else a command may still use it
            long buffer = ring;
            Runnable unmap = () -> api.enqueueUnmap(queue.handle(), buffer, ringAddress, false);
            Runnable finish = queue::finish;
            Runnable release = () -> api.releaseMemory(buffer);
            ring = 0;
            cleanup.run(unmap).run(finish).run(release);
        }
        cleanup.end();
    }
}
