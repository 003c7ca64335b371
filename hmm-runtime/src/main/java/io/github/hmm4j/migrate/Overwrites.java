package io.github.hmm4j.migrate;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.account.Direction;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.Transition;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Pages that a launch is going to overwrite: they have frames there, and none of their contents.
///
/// So they are the device's only once the kernel is certain to run. Until then they stay claimed, `TO_DEVICE`: a touch takes its page back, with what it held, and the launch goes round again.
/// The gate commits them between publishing the launch and checking its words, and takes them back if the launch is withdrawn after all. In between nobody brings one home: who claims
/// it for the host meanwhile finds the launch undecided, gives the claim back and waits.
///
/// What only other devices have is not claimed here, since it has no copy to go back to: the gate claims it, too, and until the kernel is enqueued it is where it was.
///
/// Used by one thread, which has the device's lock, and waits for no claim of others while this is not empty.
public final class Overwrites {

    /// Those of one batch, in order of pages.
    private record Part(Claims claims, Invalidations invalidations) {}

    /// Told of each page.
    @FunctionalInterface
    public interface Each {

        /// @param claim  the word with which it was claimed, or `before` if it is not
        /// @param before the word from before that
        void page(long page, long claim, long before);
    }

    private final ManagedPages heap;
    private final PageTable table;
    private final DeviceMirror mirror;
    private int clock;
    private final List<Part> parts = new ArrayList<>();

    public Overwrites(ManagedPages heap, DeviceMirror mirror) {
        this.heap = heap;
        this.table = heap.table();
        this.mirror = mirror;
    }

    public boolean isEmpty() {
        return parts.isEmpty();
    }

    public int size() {
        int pages = 0;
        for (int i = 0; i < parts.size(); i++) {
            pages += parts.get(i).claims().size();
        }
        return pages;
    }

    public void forEach(Each each) {
        for (int i = 0; i < parts.size(); i++) {
            Claims claims = parts.get(i).claims();
            for (int j = 0; j < claims.size(); j++) {
                each.page(claims.page(j), claims.word(j), claims.before(j));
            }
        }
    }

    /// To be called before the first page is claimed.
    void begin() {
        assert isEmpty();
        clock = mirror.tick();
    }

    /// The device's clock when this began: pages that arrive count as used at that time.
    int clock() {
        return clock;
    }

    /// If this fails nothing was added.
    void add(Claims claims, Invalidations invalidations) {
        if (!claims.isEmpty()) {
            parts.add(new Part(claims, invalidations));
        }
    }

    /// To be called after the gate, or if it is not reached: gives back what is claimed still. Never fails, and takes nothing from the Java heap. May be called again.
    public void end() {
        int back = 0;
        for (int i = 0; i < parts.size(); i++) {
            Claims claims = parts.get(i).claims();
            for (int j = 0; j < claims.size(); j++) {
                back += claims.isClaimed(j) && table.settle(claims.page(j), Transition.RELEASE, claims.word(j), claims.before(j), PageMove.RELEASED) ? 1 : 0;
            }
            parts.get(i).invalidations().end();
        }
        parts.clear();
        heap.accounts().add(Counter.MIGRATE_UNDONE_PAGES, back);
        heap.accounts().moved(Cause.UNDO, Direction.TO_HOST, back, 0);
    }
}
