package io.github.hmm4j.migrate;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.InFlight;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.PageUse;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.space.PageRange;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The last step of a launch: publish what it uses, check that every page is there, enqueue. The other half of the handshake is in [InFlight].
///
/// Threads: any, without a lock; it waits for nobody.
public final class LaunchGate {

    private final ManagedPages heap;
    private final PageTable table;

    public LaunchGate(ManagedPages heap) {
        this.heap = heap;
        this.table = heap.table();
    }

    /// A launch that got through.
    ///
    /// @param use what the launch was published as, to be retired when it has ended
    public record Passed(InFlight.Use use, Completion completion) {}

    /// Enqueues a kernel if all its pages are on the device, in one piece and in the right mode.
    ///
    /// @param windows what the kernel takes as pointers: each must lie in one piece, which is more than that each use does
    /// @param enqueue enqueues and flushes; it runs only if every page holds, and if it throws nothing is in flight
    /// @return null if a page was not there; then nothing ran
    public @Nullable Passed enter(
            DeviceMirror mirror, List<PageUse> uses, List<PageRange> windows, Supplier<Completion> enqueue) {
        InFlight.Use published = heap.inFlight().publish(mirror.index(), uses);
        boolean launched = false;
        try {
            for (PageUse use : uses) {
                if (!holds(mirror, use)) {
                    return null;
                }
            }
            for (PageRange window : windows) {
                if (!mirror.isPlaced(window)) {
                    return null;
                }
            }
            Completion completion = enqueue.get();
            for (PageUse use : uses) {
                mirror.touch(use.pages()); // before the launch counts as decided: whoever waits for that sees the use
            }
            heap.inFlight().attach(published, completion);
            launched = true;
            return new Passed(published, completion);
        } finally {
            if (!launched) {
                heap.inFlight().withdraw(published);
            }
        }
    }

    /// Whether open views keep pages from a launch.
    public boolean isPinned(List<PageUse> uses) {
        for (PageUse use : uses) {
            for (long page = use.pages().first(); page < use.pages().end(); page++) {
                if (PageWord.isPinnedAgainst(table.word(page), use.writes())) {
                    return true;
                }
            }
        }
        return false;
    }

    private boolean holds(DeviceMirror mirror, PageUse use) {
        PageRange pages = use.pages();
        for (long page = pages.first(); page < pages.end(); page++) {
            long word = table.word(page);
            if (!mirror.canUse(word, use.writes()) || PageWord.isPinnedAgainst(word, use.writes())) {
                return false;
            }
        }
        return true;
    }
}
