package io.github.hmm4j.device.opencl;

import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The staging memory of one lane, and the commands that carry bytes between it and device memory.
///
/// Everything here is done under the lock of the lane.
abstract sealed class StagingSlots permits TransferSlots, BufferSlots {

    final ClDevice device;
    final ClApi api;
    final ClQueue queue;
    final StagingLane.Direction direction;

    StagingSlots(ClDevice device, StagingLane.Direction direction) {
        this.device = device;
        this.api = device.api();
        this.queue = device.copy();
        this.direction = direction;
    }

    /// Makes what slots consist of, as far as they need it before they are used. If it throws, what was made stays noted here and in them, for the next call or for [#close].
    abstract void open(StagingSlot[] empty);

    /// Lets the host write to the first bytes of a slot that nobody uses, whose contents are lost.
    ///
    /// @return the address
    abstract long toFill(StagingSlot slot, long lengthBytes);

    /// Enqueues the commands of one transfer. Each is added to `commands` as soon as it is in the queue: if this
    /// throws, those have been enqueued.
    ///
    /// @param pieces what lies in the slot, from its beginning and without gaps
    /// @param kernel what carries them, in a slot that is prepared for it; null for a command for each
    abstract void enqueue(StagingSlot slot, List<StagedPiece> pieces, StagedCommands commands, @Nullable RunKernel kernel);

    /// Makes what is needed for a kernel to carry the pieces of a slot.
    abstract void prepareForKernel(StagingSlot slot);

    /// The call that carries the bytes, for people.
    abstract String call();

    /// Releases everything that no command can use any more.
    ///
    /// @param free slots whose commands have ended; others were given up
    abstract void close(Collection<StagingSlot> free);

    final boolean toDevice() {
        return direction == StagingLane.Direction.TO_DEVICE;
    }
}
