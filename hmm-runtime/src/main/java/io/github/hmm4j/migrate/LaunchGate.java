package io.github.hmm4j.migrate;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.NativeEnqueue;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.PageUse;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.space.PageRange;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The last step of a launch: publish what it uses, check that every page is there, enqueue. The other half of the handshake is in [io.github.hmm4j.mirror.InFlight].
///
/// Threads: any.
public interface LaunchGate {

    /// How a kernel whose arguments are ready is put on its queue.
    interface Enqueue {

        /// Of the kernel, for people.
        String name();

        /// By Java. Flushes.
        Completion fromJava();

        /// By native code, which may refuse: then null.
        @Nullable Completion fromNative(NativeEnqueue enqueue);
    }

    /// A launch that got through.
    ///
    /// @param completion its end
    /// @param ended      to be run once somebody has seen the end
    record Passed(Completion completion, Runnable ended) {}

    /// Enqueues a kernel if all its pages are on the device, in one piece and in the right mode.
    ///
    /// @param windows what the kernel takes as pointers: each must lie in one piece, which is more than that each use does
    /// @param enqueue runs only if every page holds, and if it throws nothing is in flight
    /// @return null if a page was not there; then nothing ran
    @Nullable Passed enter(DeviceMirror mirror, List<PageUse> uses, List<PageRange> windows, Enqueue enqueue);

    /// Like [#enter], for a launch that has lost its pages several times: moves what is missing as part of the same step, so that nobody can take it away again before the
    /// kernel is enqueued. The caller holds the device's lock and the host lock exclusively, and all pages have frames.
    ///
    /// @return null if a view or a protection keeps a page from it; then nothing ran
    @Nullable Passed insist(DeviceMirror mirror, List<PageUse> uses, List<PageRange> windows, Enqueue enqueue);

    /// Whether open views keep pages from a launch.
    static boolean isPinned(PageTable table, List<PageUse> uses) {
        for (PageUse use : uses) {
            for (long page = use.pages().first(); page < use.pages().end(); page++) {
                if (PageWord.isPinnedAgainst(table.word(page), use.writes())) {
                    return true;
                }
            }
        }
        return false;
    }
}
