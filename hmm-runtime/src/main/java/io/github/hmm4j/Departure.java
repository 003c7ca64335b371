package io.github.hmm4j;

import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.space.PageRange;

/// What becomes of the host memory of pages that have moved to a device for good: until something else happens to them, nothing will undo the move.
@FunctionalInterface
interface Departure {

    /// It stays, so that the way home needs no new memory.
    Departure KEEPS_HOST_MEMORY = (_, _) -> {};

    /// Called under the device's lock.
    ///
    /// @param pages some of which may not have moved
    void left(DeviceMirror mirror, PageRange pages);
}
