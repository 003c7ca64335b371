package io.github.hmm4j.migrate;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.NativeEnqueue;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.DeviceTable;
import io.github.hmm4j.mirror.PageUse;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.space.PageRange;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The last step of a launch: publish what it uses, check that every page is there, enqueue. The other half of the handshake is in [io.github.hmm4j.mirror.InFlight].
///
/// Threads: any.
public interface LaunchGate {

    /// How a kernel whose arguments are ready is put on its queue.
    interface Enqueue {

        /// For those who are told of the launch.
        String kernelName();

        /// By native code, which may refuse: then null.
        @Nullable Completion by(NativeEnqueue enqueue);
    }

    /// What a launch needs of pages.
    ///
    /// @param uses    pages that must all be there, in the right mode
    /// @param windows what the kernel takes as pointers: each must lie in one piece, which is more than that each use does
    /// @param table   for a kernel that goes through the device's page table: what it may find there, as far as that is there when it starts; else null
    record Needs(List<PageUse> uses, List<PageRange> windows, DeviceTable.@Nullable Update table) {

        /// All that the kernel may touch: what is published.
        public List<PageUse> published() {
            return table == null ? uses : Stream.concat(uses.stream(), table.uses().stream()).toList();
        }

        /// Whether the device has memory for pages that kernels find through the table, if this needs any.
        public boolean isTableThere(DeviceMirror mirror) {
            return table == null || mirror.pool().pagedFrames().count() > 0;
        }
    }

    /// A launch that got through.
    ///
    /// @param completion its end
    /// @param ended      to be run once somebody has seen the end
    record Passed(Completion completion, Runnable ended) {}

    /// Enqueues a kernel if all its pages are on the device, in one piece and in the right mode.
    ///
    /// @param enqueue    runs only if every page holds, and if it throws nothing is in flight
    /// @param overwrites pages that the launch has claimed to overwrite, or null if there are none; they are the device's if it passes, and what they were or claimed still if not
    /// @return null if a page was not there; then nothing ran
    @Nullable Passed enter(DeviceMirror mirror, Needs needs, Enqueue enqueue, @Nullable Overwrites overwrites);

    /// Like [#enter], for a launch that has lost its pages several times: moves what is missing as part of the same step, so that nobody can take it away again before the
    /// kernel is enqueued. The caller holds the device's lock and the host lock exclusively, and all pages have frames.
    ///
    /// @param overwrites as for [#enter]; what others have taken of them meanwhile comes with its contents
    /// @param undo       gets the pages that were moved if nothing ran, also if this throws
    /// @return null if a view, a protection or another device keeps a page from it; then nothing ran
    @Nullable Passed insist(DeviceMirror mirror, Needs needs, Enqueue enqueue, @Nullable Overwrites overwrites, UndoLog undo);

    /// No launch comes any more, and all kernels have ended. What is still to be told of them is known from then on without native code.
    default void close() {}

    /// Whether open views keep pages from a launch.
    static boolean isPinned(PageTable table, List<PageUse> uses) {
        for (PageUse use : uses) {
            long end = use.pages().end();
            for (long page = table.writtenFrom(use.pages().first(), end); page < end; page = table.writtenFrom(page + 1, end)) {
                if (PageWord.isPinnedAgainst(table.word(page), use.writes())) {
                    return true;
                }
            }
        }
        return false;
    }
}
