package io.github.hmm4j.migrate;

import io.github.hmm4j.device.FramePool;
import io.github.hmm4j.mirror.DeviceMirror;
import java.util.function.LongPredicate;

/// Who gives up its frame when a device is full. The engine asks, policy answers, and only the façade knows both.
@FunctionalInterface
public interface VictimSource {

    /// Pages to evict, best victim first: whole answers are better than short ones, since a window needs neighbouring frames.
    ///
    /// @param room      where frames are needed: those of the other are of no use
    /// @param evictable pages that may be named; others are skipped
    /// @return page indexes; may be fewer than asked for, or none
    long[] victims(DeviceMirror mirror, FramePool.Room room, int framesNeeded, LongPredicate evictable);
}
