package io.github.hmm4j.migrate;

import io.github.hmm4j.space.PageRange;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/// Pages whose contents are dead when a launch begins, since its kernel promises to overwrite them ([ToDevice.Intent#OVERWRITE]): until a round has run with them. From then on they hold what
/// work-items wrote that do not run again. Used by one thread.
final class DeadPages {

    private final List<PageRange> ranges;
    private final List<BitSet> alive; // of each range, by offset
    private final List<PageRange> brought = new ArrayList<>(); // without their contents, since the last round that ran

    /// @param ranges apart from each other
    DeadPages(List<PageRange> ranges) {
        this.ranges = ranges;
        alive = ranges.stream().map(_ -> new BitSet()).toList();
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

    /// Pages of this have come to the device without their contents.
    void brought(PageRange pages) {
        brought.add(pages);
    }

    /// A round is going to run with what was brought.
    void used() {
        for (PageRange pages : brought) {
            for (int i = 0; i < ranges.size(); i++) {
                PageRange range = ranges.get(i);
                if (range.overlaps(pages)) {
                    alive.get(i).set(Math.toIntExact(Math.max(0, pages.first() - range.first())), Math.toIntExact(Math.min(pages.end(), range.end()) - range.first()));
                }
            }
        }
        brought.clear();
    }

    /// No round has run with what was brought.
    void back() {
        brought.clear();
    }
}
