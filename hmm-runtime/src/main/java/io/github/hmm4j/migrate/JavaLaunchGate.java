package io.github.hmm4j.migrate;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.LaunchTable;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.PageUse;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.space.PageRange;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The gate where host access is checked: launches are published in Java.
///
/// Threads: any, without a lock; it waits for nobody.
public final class JavaLaunchGate implements LaunchGate {

    private final PageTable table;
    private final LaunchTable launches;

    /// @param launches the table of launches of this heap
    public JavaLaunchGate(ManagedPages heap, LaunchTable launches) {
        this.table = heap.table();
        this.launches = launches;
    }

    @Override
    public @Nullable Passed enter(DeviceMirror mirror, List<PageUse> uses, List<PageRange> windows, Enqueue enqueue) {
        launches.concludeEnded(uses);
        LaunchTable.Use published = launches.publish(mirror.index(), uses);
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
            Runnable ended = () -> launches.retire(published);
            Completion completion = enqueue.fromJava();
            for (int i = 0; i < uses.size(); i++) { // the kernel is enqueued: until it counts as launched nothing may fail, for want of memory neither
                mirror.touch(uses.get(i).pages()); // before the launch counts as decided: whoever waits for that sees the use
            }
            launches.attach(published, completion);
            launched = true;
            return new Passed(completion, ended);
        } finally {
            if (!launched) {
                launches.withdraw(published);
            }
        }
    }

    /// With the host held off only another device can take a page, to write it: all words are checked here as well, and the launch goes round again.
    @Override
    public @Nullable Passed insist(DeviceMirror mirror, List<PageUse> uses, List<PageRange> windows, Enqueue enqueue, UndoLog undo) {
        return enter(mirror, uses, windows, enqueue);
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
