package io.github.hmm4j.device.opencl;

import org.jspecify.annotations.Nullable;

/// A piece of staging memory of [StagedCopyEngine#SLOT_BYTES]. Belongs to the lock of its lane.
final class StagingSlot {

    /// The buffer that the slot is, or 0 if it has none of its own, or none yet.
    long buffer;
    /// Where the host reaches it, or 0 while it does not.
    long addressBytes;
    /// Device memory of the same size in which a kernel finds or leaves its pieces, where that is not the slot itself; null until first used.
    @Nullable ClMemory packed;
    /// Commands of it have failed: in what state they left it nobody knows.
    boolean suspect;
}
