package io.github.hmm4j.migrate;

import io.github.hmm4j.account.Accounts;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.Completion;
import io.github.hmm4j.error.KernelEnqueuedError;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.LaunchTable;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.PageUse;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.space.HostMemory;
import io.github.hmm4j.space.PageRange;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The gate where host access is checked: launches are published in Java.
///
/// Threads: any. Waits for whoever has the device's lock and has not opened it, and in place for kernels of other devices.
public final class JavaLaunchGate implements LaunchGate {

    private final PageTable table;
    private final Accounts accounts;
    private final HostMemory host;
    private final LaunchTable launches;

    /// @param launches the table of launches of this heap
    public JavaLaunchGate(ManagedPages heap, LaunchTable launches) {
        this.table = heap.table();
        this.accounts = heap.accounts();
        this.host = heap.space().host();
        this.launches = launches;
    }

    @Override
    public boolean holdsHostOff() {
        return true;
    }

    @Override
    public @Nullable Passed enter(DeviceMirror mirror, Needs needs, Enqueue enqueue, @Nullable Overwrites overwrites) {
        mirror.lock().share(); // before anything is published: to wait then for whoever moves pages could be for ever
        try {
            return needs.isTableThere(mirror) ? pass(mirror, needs, enqueue, overwrites) : null;
        } finally {
            mirror.lock().unshare();
        }
    }

    private @Nullable Passed pass(DeviceMirror mirror, Needs needs, Enqueue enqueue, @Nullable Overwrites overwrites) {
        List<PageUse> all = needs.published();
        launches.concludeEnded(all);
        LaunchTable.Use published = launches.publish(mirror.index(), all);
        boolean launched = false;
        boolean ran = false;
        try {
            if (overwrites != null) {
                overwrites.commit();
            }
            for (PageUse use : needs.uses()) {
                if (!holds(mirror, use)) {
                    return null;
                }
            }
            for (PageRange window : needs.windows()) {
                if (!mirror.isPlaced(window)) {
                    return null;
                }
            }
            launches.awaitThoseBefore(published);
            if (needs.table() != null) {
                accounts.add(Counter.TABLE_BYTES, needs.table().table().write(needs.table()));
            }
            Runnable ended = () -> launches.retire(published);
            Completion completion;
            try {
                completion = enqueue.fromJava();
            } catch (KernelEnqueuedError e) { // and has ended
                touch(mirror, needs);
                ran = true;
                throw e;
            }
            ran = true;
            touch(mirror, needs); // the kernel is enqueued: until it counts as launched nothing may fail, for want of memory neither
            launches.attach(published, completion);
            launched = true;
            return passed(completion, ended);
        } finally {
            if (!ran && overwrites != null) {
                overwrites.takeBack();
            }
            if (!launched) {
                launches.withdraw(published);
            }
        }
    }

    /// Before the launch counts as decided: whoever waits for that sees the use.
    private static void touch(DeviceMirror mirror, Needs needs) {
        for (int i = 0; i < needs.uses().size(); i++) {
            mirror.touch(needs.uses().get(i).pages());
        }
    }

    private static Passed passed(Completion completion, Runnable ended) {
        try {
            return new Passed(completion, ended);
        } catch (OutOfMemoryError _) {
            throw KernelEnqueuedError.get();
        }
    }

    /// With the host held off only another device can take a page, to write it: all words are checked here as well, and the launch goes round again.
    @Override
    public @Nullable Passed insist(DeviceMirror mirror, Needs needs, Enqueue enqueue, @Nullable Overwrites overwrites, UndoLog undo) {
        return enter(mirror, needs, enqueue, overwrites);
    }

    private boolean holds(DeviceMirror mirror, PageUse use) {
        PageRange pages = use.pages();
        for (long page = pages.first(); page < pages.end(); page++) {
            long word = table.word(page);
            boolean there = use.inPlace()
                    ? PageWord.isUsableInPlace(word, use.writes()) && host.isBacked(page)
                    : mirror.canUse(word, use.writes());
            if (!there || PageWord.isPinnedAgainst(word, use.writes())) {
                return false;
            }
        }
        return true;
    }
}
