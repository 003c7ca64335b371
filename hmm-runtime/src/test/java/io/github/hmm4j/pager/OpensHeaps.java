package io.github.hmm4j.pager;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.error.HmmException;
import java.util.function.Supplier;

/// Tries to open heaps without a device, and to say what one would get, and prints why that is refused.
final class OpensHeaps {

    private OpensHeaps() {}

    static void main() {
        attempt(() -> Hmm.builder().hostOnly().open());
        attempt(() -> Hmm.builder().hostOnly().hostAccess(HostAccess.Mode.CHECKED).open());
        attempt(Ladder::best);
    }

    private static void attempt(Supplier<Object> what) {
        try {
            IO.println("opened: " + what.get());
        } catch (HmmException e) {
            IO.println("refused: " + e);
        }
    }
}
