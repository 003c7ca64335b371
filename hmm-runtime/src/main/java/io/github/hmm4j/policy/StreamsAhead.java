package io.github.hmm4j.policy;

import java.util.HashMap;
import java.util.Map;

/// Streams: a kernel that has missed pages in a row, or goes on where a row ended in the round before, gets as many behind it, and twice as many each time that it goes on.
///
/// Pages that were missed here and there bring nothing.
public final class StreamsAhead implements AheadPolicy {

    private static final int SHORTEST_ROW = 4; // in a table of which a quarter is used at random, one row of this length in 256 comes by chance

    private final long mostPages;

    /// @param mostPages that come along with one row
    /// @throws IllegalArgumentException if it is negative
    public StreamsAhead(long mostPages) {
        if (mostPages < 0) {
            throw new IllegalArgumentException("mostPages=" + mostPages + ", must not be negative");
        }
        this.mostPages = mostPages;
    }

    @Override
    public long mostPages() {
        return mostPages;
    }

    @Override
    public Watch watch() {
        return new Rows();
    }

    private final class Rows implements Watch {

        private Map<Long, Long> ends = new HashMap<>(); // of the rows of the round before, with what came along: how many that were
        private Map<Long, Long> endsNow = new HashMap<>();

        @Override
        public long pagesBehind(long first, long end) {
            Long before = ends.get(first);
            long wanted = before != null ? Math.max(2 * before, end - first) : end - first >= SHORTEST_ROW ? end - first : 0;
            long behind = Math.min(wanted, mostPages);
            if (behind > 0) {
                endsNow.put(end + behind, behind);
            }
            return behind;
        }

        @Override
        public void endRound() {
            Map<Long, Long> over = ends;
            ends = endsNow;
            endsNow = over;
            endsNow.clear();
        }
    }
}
