package io.github.hmm4j.migrate;

import io.github.hmm4j.mirror.DeviceTable;
import io.github.hmm4j.space.PageRange;
import java.util.BitSet;
import java.util.List;

/// Pages whose contents are dead when a launch begins, since its kernel promises to overwrite them ([ToDevice.Intent#OVERWRITE]): until a round has run that could write to them, whoever had brought them. From then on they
/// hold what work-items wrote that do not run again. Used by one thread.
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

    /// A round runs that finds what the table shows. Looks at each page that is dead still, as making the table does at all of them. Takes nothing from the Java heap.
    void shown(DeviceTable table) {
        for (int i = 0; i < ranges.size(); i++) {
            PageRange range = ranges.get(i);
            BitSet written = alive.get(i);
            for (int offset = written.nextClearBit(0); offset < range.count(); offset = written.nextClearBit(offset + 1)) {
                if (table.isWritable(range.first() + offset)) {
                    written.set(offset);
                }
            }
        }
    }
}
