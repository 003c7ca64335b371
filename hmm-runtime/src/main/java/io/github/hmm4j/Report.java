package io.github.hmm4j;

import io.github.hmm4j.account.Accounts;
import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.account.Direction;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/// What a heap has moved so far, why, and what else happened. Prints as a small table.
///
/// @param moves  one row for each cause that moved something
/// @param counts every counter
public record Report(List<Moved> moves, Map<Counter, Long> counts) {

    /// Pages moved for one cause.
    ///
    /// @param bytes bytes that were copied; empty, dead and shared pages move without
    public record Moved(Cause cause, Direction direction, long pages, long bytes) {}

    public Report {
        moves = List.copyOf(moves);
        counts = Map.copyOf(counts);
    }

    static Report of(Accounts accounts) {
        List<Moved> moves = new ArrayList<>();
        for (Cause cause : Cause.values()) {
            for (Direction direction : Direction.values()) {
                long pages = accounts.pagesMoved(cause, direction);
                if (pages > 0) {
                    moves.add(new Moved(cause, direction, pages, accounts.bytesMoved(cause, direction)));
                }
            }
        }
        return new Report(moves, accounts.counts());
    }

    /// What has moved and happened since `earlier`, a report of the same heap.
    public Report since(Report earlier) {
        Objects.requireNonNull(earlier, "earlier");
        List<Moved> moved = new ArrayList<>();
        for (Moved now : moves) {
            long pages = now.pages();
            long bytes = now.bytes();
            for (Moved then : earlier.moves) {
                if (then.cause() == now.cause() && then.direction() == now.direction()) {
                    pages -= then.pages();
                    bytes -= then.bytes();
                }
            }
            if (pages > 0) {
                moved.add(new Moved(now.cause(), now.direction(), pages, bytes));
            }
        }
        Map<Counter, Long> counted = new EnumMap<>(Counter.class);
        counts.forEach((counter, count) -> counted.put(counter, count - earlier.count(counter)));
        return new Report(moved, counted);
    }

    public long count(Counter counter) {
        return counts.getOrDefault(Objects.requireNonNull(counter, "counter"), 0L);
    }

    /// Bytes copied one way, for all causes.
    public long bytes(Direction direction) {
        return moves.stream().filter(moved -> moved.direction() == direction).mapToLong(Moved::bytes).sum();
    }

    /// Pages that moved either way, for all causes.
    public long pages() {
        return moves.stream().mapToLong(Moved::pages).sum();
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("%-10s %-10s %12s %16s%n".formatted("cause", "direction", "pages", "bytes copied"));
        for (Moved moved : moves) {
            text.append(String.format(Locale.ROOT, "%-10s %-10s %,12d %,16d%n",
                    moved.cause(), moved.direction(), moved.pages(), moved.bytes()));
        }
        for (Counter counter : Counter.values()) {
            if (count(counter) > 0) {
                text.append(String.format(Locale.ROOT, "%-21s %,12d  %s%n",
                        counter.label(), count(counter), counter.meaning()));
            }
        }
        return text.toString();
    }
}
