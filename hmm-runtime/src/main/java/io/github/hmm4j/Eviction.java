package io.github.hmm4j;

import io.github.hmm4j.device.FramePool;
import io.github.hmm4j.migrate.VictimSource;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ProgramCode;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.policy.Candidates;
import io.github.hmm4j.policy.EvictionPolicy;
import io.github.hmm4j.space.PageRange;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongPredicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Shows a full device to the policy and hands its answer to the engine, which must get room even if the policy fails.
final class Eviction implements VictimSource {

    private static final Logger LOG = LoggerFactory.getLogger(Eviction.class);

    private final PageTable table;
    private final ProgramCode programCode;
    private final EvictionPolicy policy;
    private volatile boolean failed; // which is told once: it may be asked every few milliseconds

    Eviction(PageTable table, ProgramCode programCode, EvictionPolicy policy) {
        this.table = table;
        this.programCode = programCode;
        this.policy = policy;
    }

    @Override
    public long[] victims(DeviceMirror mirror, FramePool.Room room, int framesNeeded, LongPredicate evictable) {
        Candidates candidates = candidates(mirror, mirror.oldestFrames(room, shown(framesNeeded), evictable));
        int[] chosen = choose(candidates, framesNeeded);
        long[] pages = new long[chosen.length];
        for (int i = 0; i < chosen.length; i++) {
            pages[i] = candidates.page(chosen[i]);
        }
        return pages;
    }

    /// The same of a device whose kernels fault, where nobody can be asked when a place is needed.
    ///
    /// @param there   pages that it has, those that came first first
    /// @param wanted  how many are to be named
    long[] victims(DeviceMirror mirror, long[] there, int wanted) {
        Candidates candidates = new Candidates(Math.max(1, there.length));
        for (int i = 0; i < Math.min(there.length, shown(wanted)); i++) {
            candidates.add(there[i], there.length - i, costOf(mirror, table.word(there[i])));
        }
        return Arrays.stream(choose(candidates, wanted)).mapToLong(candidates::page).toArray();
    }

    private static Candidates.Cost costOf(DeviceMirror mirror, long word) {
        return !PageWord.isReadableOn(word, mirror.index()) ? Candidates.Cost.RESERVED
                : PageWord.isOwnedBy(word, mirror.index()) ? Candidates.Cost.DIRTY : Candidates.Cost.CLEAN;
    }

    private Candidates candidates(DeviceMirror mirror, int[] frames) {
        Candidates candidates = new Candidates(Math.max(1, frames.length));
        int now = mirror.clock();
        List<PageRange> full = mirror.fullRegions();
        for (int frame : frames) {
            long page = mirror.pageOf(frame);
            candidates.add(page, now - mirror.lastUse(frame), costOf(mirror, table.word(page)));
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
            warn("eviction policy {} failed; showing it all frames", e);
            return Integer.MAX_VALUE;
        }
    }

    private void warn(String what, @Nullable RuntimeException e) {
        if (failed) {
            LOG.debug(what, policy, e);
        } else {
            LOG.warn(what, policy, e);
        }
        failed = true;
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
            warn("eviction policy {} named no victim; taking frames in order", null);
        } catch (RuntimeException e) {
            warn("eviction policy {} failed; taking frames in order", e);
        }
        int[] inOrder = new int[Math.min(framesNeeded, candidates.size())];
        for (int i = 0; i < inOrder.length; i++) {
            inOrder[i] = i;
        }
        return inOrder;
    }
}
