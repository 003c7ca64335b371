package io.github.hmm4j.migrate;

import io.github.hmm4j.mirror.InvalidationKind;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.Notifier;
import io.github.hmm4j.space.PageRange;
import java.util.Arrays;

/// What one batch has announced to mirrors of the program's own. Used by one thread.
final class Invalidations {

    private final ManagedPages heap;
    private Notifier.Token[] tokens = {};
    private int count;

    Invalidations(ManagedPages heap) {
        this.heap = heap;
    }

    /// Announces that pages are about to move.
    ///
    /// @param owner index of the device on whose behalf they move, or -1
    void begin(PageRange range, int owner) {
        if (count == tokens.length) { // before it begins: what has begun must be known to whoever ends it
            tokens = Arrays.copyOf(tokens, Math.max(4, 2 * count));
        }
        tokens[count] = heap.notifier().begin(heap.space().addressesOf(range), InvalidationKind.MIGRATE, owner);
        count++;
    }

    /// They have moved, or will not. Takes nothing from the Java heap.
    void end() {
        while (count > 0) {
            count--;
            tokens[count].close();
        }
    }
}
