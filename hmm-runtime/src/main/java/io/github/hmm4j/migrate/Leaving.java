package io.github.hmm4j.migrate;

import io.github.hmm4j.space.Generation;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.VaRange;
import org.jspecify.annotations.Nullable;

/// Pages on their way to be free. Made before their region is given up, so that nobody can forget them.
final class Leaving {

    final VaRange range;
    final PageRange pages;
    boolean allOnHost; // so every page had host memory
    boolean hostMemoryIsGone;
    boolean hostMemoryIsKept; // for whoever gets the addresses next
    @Nullable Generation generation; // of the region that it was
    boolean isRegion; // that nobody has heard of
    @Nullable Leaving next; // in the list of those that could not be freed at once

    Leaving(VaRange range, PageRange pages) {
        this.range = range;
        this.pages = pages;
    }
}
