package io.github.hmm4j;

import io.github.hmm4j.migrate.VictimSource;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ProgramCode;
import io.github.hmm4j.mirror.UseOrder;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.policy.Candidates;
import io.github.hmm4j.policy.EvictionPolicy;
import io.github.hmm4j.space.PageRange;
import java.util.List;
import java.util.function.LongPredicate;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Shows a full device to the policy and hands its answer to the engine, which must get room even if the policy fails.
final class Eviction implements VictimSource {

    private static final Logger LOG = LoggerFactory.getLogger(Eviction.class);

    private final PageTable table;
    private final ProgramCode programCode;
    private final EvictionPolicy policy;

    Eviction(PageTable table, ProgramCode programCode, EvictionPolicy policy) {
        this.table = table;
        this.programCode = programCode;
        this.policy = policy;
    }

    @Override
    public long[] victims(DeviceMirror mirror, UseOrder.Room room, int framesNeeded, LongPredicate evictable) {
        Candidates candidates = candidates(mirror, mirror.oldestFrames(room, shown(framesNeeded), evictable));
        int[] chosen = choose(candidates, framesNeeded);
        long[] pages = new long[chosen.length];
        for (int i = 0; i < chosen.length; i++) {
            pages[i] = candidates.page(chosen[i]);
        }
        return pages;
    }

    private Candidates candidates(DeviceMirror mirror, int[] frames) {
        Candidates candidates = new Candidates(Math.max(1, frames.length));
        int now = mirror.clock();
        List<PageRange> full = mirror.fullRegions();
        for (int frame : frames) {
            long page = mirror.pageOf(frame);
            long word = table.word(page);
            Candidates.Cost cost = !PageWord.isReadableOn(word, mirror.index())
                    ? Candidates.Cost.RESERVED
                    : PageWord.isOwnedBy(word, mirror.index()) ? Candidates.Cost.DIRTY : Candidates.Cost.CLEAN;
            candidates.add(page, now - mirror.lastUse(frame), cost);
            if (full.stream().anyMatch(region -> region.contains(page))) {
                candidates.lastIsOfFullRegion();
            }
        }
        return candidates;
    }

    /// At least as many as are needed, whatever the policy says.
    private int shown(int framesNeeded) {
        try {
            return Math.max(framesNeeded, ask(() -> policy.shown(framesNeeded)));
        } catch (RuntimeException e) {
            LOG.warn("eviction policy {} failed; showing it all frames", policy, e);
            return Integer.MAX_VALUE;
        }
    }

    private <T> T ask(Supplier<T> question) {
        ProgramCode.Place place = programCode.place();
        String before = place.enter("an eviction policy");
        try {
            return question.get();
        } finally {
            place.leave(before);
        }
    }

    private int[] choose(Candidates candidates, int framesNeeded) {
        try {
            int[] chosen = ask(() -> policy.victims(candidates, framesNeeded));
            for (int index : chosen) {
                if (index < 0 || index >= candidates.size()) {
                    throw new IllegalStateException("victim=" + index + " of " + candidates.size() + " candidates");
                }
            }
            if (chosen.length > 0 || candidates.size() == 0) {
                return chosen;
            }
            LOG.warn("eviction policy {} named no victim of {}; taking frames in order", policy, candidates.size());
        } catch (RuntimeException e) {
            LOG.warn("eviction policy {} failed; taking frames in order", policy, e);
        }
        int[] inOrder = new int[Math.min(framesNeeded, candidates.size())];
        for (int i = 0; i < inOrder.length; i++) {
            inOrder[i] = i;
        }
        return inOrder;
    }
}
