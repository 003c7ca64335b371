package io.github.hmm4j.migrate;

import io.github.hmm4j.space.PageRange;
import java.util.BitSet;
import java.util.List;

/// Pages whose contents are dead when a launch begins, since its kernel promises to overwrite them ([ToDevice.Intent#OVERWRITE]): until a round has run with them. From then on they hold what
/// work-items wrote that do not run again. Used by one thread.
final class DeadPages {

    private final List<PageRange> ranges;
    private final List<BitSet> alive; // of each range, by offset

    /// @param ranges apart from each other
    DeadPages(List<PageRange> ranges) {
        this.ranges = ranges;
        alive = ranges.stream().map(range -> new BitSet(Math.toIntExact(range.count()))).toList();
    }

    boolean contains(long page) {
        for (int i = 0; i < ranges.size(); i++) {
            PageRange range = ranges.get(i);
            if (range.contains(page)) {
                return !alive.get(i).get(Math.toIntExact(page - range.first()));
            }
        }
        return false;
    }

    /// A round runs that may write to these pages. Takes nothing from the Java heap.
    void used(List<PageRange> used) {
        for (int u = 0; u < used.size(); u++) {
            PageRange pages = used.get(u);
            for (int i = 0; i < ranges.size(); i++) {
                PageRange range = ranges.get(i);
                if (range.overlaps(pages)) {
                    alive.get(i).set(Math.toIntExact(Math.max(0, pages.first() - range.first())), Math.toIntExact(Math.min(pages.end(), range.end()) - range.first()));
                }
            }
        }
    }
}
