package io.github.hmm4j.device.opencl;

import io.github.hmm4j.error.HmmException;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Slots of the copying engine: each is a buffer in pinned host memory, and `clEnqueueCopyBuffer` carries bytes between
/// it and device memory. It is mapped while the host fills or drains it, and never while a command uses it.
///
/// Only the bytes in use are mapped: a driver that keeps such a buffer in the device's memory carries over the bus what
/// is mapped, and not the rest. Slots to be filled are mapped through a queue of their own, where they do not stand
/// behind the transfers that are under way: nothing else uses a free slot.
final class BufferSlots extends StagingSlots {

    private static final Logger LOG = LoggerFactory.getLogger(BufferSlots.class);

    /// For maps of slots that the host is about to fill; 0 until first used.
    private long maps;

    BufferSlots(ClDevice device, StagingLane.Direction direction) {
        super(device, direction);
    }

    /// Buffers of slots towards the device are made when they are first needed.
    @Override
    void open(StagingSlot[] empty) {
        if (toDevice()) {
            maps = api.createQueue(device.context(), device.handle(), false);
            return;
        }
        for (StagingSlot slot : empty) {
            requireBuffer(slot);
        }
    }

    @Override
    long toFill(StagingSlot slot, long lengthBytes) {
        requireBuffer(slot);
        if (slot.addressBytes != 0) { // filled for a transfer of which nothing came to be enqueued, and perhaps too short
            unmap(slot);
        }
        slot.addressBytes = api.map(maps, slot.buffer, Cl.MAP_WRITE_INVALIDATE_REGION, 0, lengthBytes);
        return slot.addressBytes;
    }

    /// In an order that the queue keeps. Each has its event: one that fails must not go unseen.
    @Override
    void enqueue(StagingSlot slot, List<StagedPiece> pieces, StagedCommands commands, @Nullable RunKernel kernel) {
        requireBuffer(slot);
        long unmapped = 0;
        if (slot.addressBytes != 0) {
            unmapped = api.enqueueUnmap(queue.handle(), slot.buffer, slot.addressBytes, true);
            slot.addressBytes = 0;
            commands.add(unmapped, 0);
        }
        if (kernel != null) {
            enqueueKernel(slot, pieces, commands, kernel, unmapped);
        } else {
            enqueueCopies(slot, pieces, commands);
        }
        if (!toDevice()) {
            long[] address = new long[1];
            long mapped = api.enqueueMap(queue.handle(), slot.buffer, Cl.MAP_READ, 0, StagedPiece.end(pieces), address);
            slot.addressBytes = address[0];
            commands.add(mapped, 0);
        }
    }

    private void enqueueCopies(StagingSlot slot, List<StagedPiece> pieces, StagedCommands commands) {
        for (StagedPiece piece : pieces) {
            long memory = piece.memory().handle();
            long event = toDevice()
                    ? api.enqueueCopy(queue.handle(), slot.buffer, memory, piece.slotOffsetBytes(), piece.offsetBytes(), piece.lengthBytes(), true)
                    : api.enqueueCopy(queue.handle(), memory, slot.buffer, piece.offsetBytes(), piece.slotOffsetBytes(), piece.lengthBytes(), true);
            commands.add(event, piece.lengthBytes());
        }
    }

    /// The kernel works in the slot itself, which no command has to carry then: that is left to the driver.
    private void enqueueKernel(StagingSlot slot, List<StagedPiece> pieces, StagedCommands commands, RunKernel kernel, long unmapped) {
        if (unmapped != 0) {
            kernel.after(unmapped);
        }
        for (List<StagedPiece> group : RunKernel.groups(pieces)) {
            kernel.enqueue(slot.buffer, group, commands);
        }
    }

    @Override
    void prepareForKernel(StagingSlot slot) {
        requireBuffer(slot);
    }

    /// A slot whose commands have failed gets another buffer: whether the old one is mapped depends on which of them did.
    private void requireBuffer(StagingSlot slot) {
        if (slot.suspect) {
            try {
                release(slot);
            } catch (HmmException e) {
                LOG.warn("a staging buffer is not released: device={}", device, e); // how its commands ended was told before
            }
            slot.suspect = false;
        }
        if (slot.buffer == 0) {
            slot.buffer = api.createBuffer(device.context(), Cl.MEM_READ_WRITE | Cl.MEM_ALLOC_HOST_PTR, StagedCopyEngine.SLOT_BYTES, 0);
        }
    }

    /// The slot is unmapped for everybody when this returns.
    private void unmap(StagingSlot slot) {
        api.enqueueUnmap(queue.handle(), slot.buffer, slot.addressBytes, false);
        slot.addressBytes = 0;
        queue.finish();
    }

    @Override
    String call() {
        return "clEnqueueCopyBuffer";
    }

    /// Each step that was made is noted: who goes on where the Java heap was full makes it no second time, and releases nothing that is still mapped.
    private void release(StagingSlot slot) {
        long buffer = slot.buffer;
        long addressBytes = slot.addressBytes;
        Runnable unmap = () -> {
            api.enqueueUnmap(queue.handle(), buffer, addressBytes, false);
            slot.addressBytes = 0;
        };
        Runnable finish = queue::finish;
        Runnable release = () -> api.releaseMemory(buffer);
        var cleanup = new Cleanup();
        if (addressBytes != 0) {
            cleanup.run(unmap).run(finish);
        }
        if (slot.addressBytes != 0 && cleanup.failure() instanceof OutOfMemoryError) {
            cleanup.end();
        }
        slot.addressBytes = 0;
        slot.buffer = 0;
        if (buffer != 0) {
            cleanup.run(release);
        }
        cleanup.end();
    }

    /// A buffer whose commands were given up stays: they may still use it.
    @Override
    void close(Collection<StagingSlot> free) {
        var cleanup = new Cleanup();
        free.forEach(slot -> cleanup.run(() -> release(slot)));
        if (maps != 0) {
            long filling = maps;
            Runnable release = () -> api.releaseQueue(filling);
            maps = 0;
            cleanup.run(release);
        }
        cleanup.end();
    }
}
