package io.github.hmm4j.demos.svm.verdict;

import io.github.hmm4j.demos.svm.Estimate;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.verdict.Comparison.Relation;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Map.Entry;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;

/// Who leads at one size of one workload.
///
/// @param walls     what can be compared, fastest first
/// @param leaders   the fastest, and all that are level with it
/// @param undecided all that are not told apart from the fastest
/// @param noisy     whether the whole run is too noisy for medians: then the one with the smallest leads only if nobody
///                  else may be the fastest, and is one of the undecided else
public record Ranking(
    long sizeBytes, SequencedMap<Strategy, Estimate> walls, Set<Strategy> leaders, Set<Strategy> undecided,
    boolean noisy) {
    static Ranking of(Grid grid, Workload workload, long sizeBytes, boolean noisy) {
        Map<Strategy, Estimate> found = new EnumMap<>(Strategy.class);
        for (Strategy strategy : Strategy.values()) {
            grid.usable(workload, sizeBytes, strategy).ifPresent(wall -> found.put(strategy, wall));
        }
        SequencedMap<Strategy, Estimate> walls = new LinkedHashMap<>();
        found.entrySet().stream().sorted(Comparator.comparingDouble((Entry<Strategy, Estimate> each) -> each.getValue().median()))
            .forEach(each -> walls.put(each.getKey(), each.getValue()));
        Set<Strategy> leaders = EnumSet.noneOf(Strategy.class);
        Set<Strategy> undecided = EnumSet.noneOf(Strategy.class);
        walls.forEach((strategy, wall) -> {
            boolean first = strategy == walls.firstEntry().getKey();
            switch (first ? Relation.LEVEL : Comparison.relation(wall, walls.firstEntry().getValue(), noisy)) {
                case LEVEL -> leaders.add(strategy);
                case UNDECIDED -> undecided.add(strategy);
                case APART -> { }
            }
        });
        if (noisy && !undecided.isEmpty()) {
            undecided.addAll(leaders);
            leaders.clear();
        }
        return new Ranking(sizeBytes, walls, leaders, undecided, noisy);
    }

    /// Whether there was anything to be faster than.
    public boolean isContest() {
        return walls.size() > 1;
    }

    /// Who leads where nobody else may be the fastest: the leaders that no other might beat. Empty where there is no clear winner, or
    /// no contest.
    Set<Strategy> winners() {
        Set<Strategy> winners = EnumSet.noneOf(Strategy.class);
        if (isContest() && undecided.isEmpty()) {
            winners.addAll(leaders);
            winners.removeIf(leader -> walls.keySet().stream().filter(other -> !leaders.contains(other))
                .anyMatch(other -> Comparison.relation(wall(leader), wall(other), noisy) == Relation.UNDECIDED));
        }
        return winners;
    }

    /// The fastest; empty if nothing can be compared.
    public Optional<Strategy> best() {
        return fastestOf(walls.keySet());
    }

    /// All that may be the fastest: those who lead, and those not told apart from it.
    Set<Strategy> contenders() {
        Set<Strategy> contenders = EnumSet.noneOf(Strategy.class);
        contenders.addAll(leaders);
        contenders.addAll(undecided);
        return contenders;
    }

    /// The fastest of those that are slower than `one`, and slower than the fastest.
    Optional<Strategy> next(Strategy one) {
        Set<Strategy> contenders = contenders();
        return walls.keySet().stream().filter(strategy -> !contenders.contains(strategy) && factor(strategy, one) > 1
            && Comparison.relation(wall(strategy), wall(one), noisy) == Relation.APART).findFirst();
    }

    /// The fastest of some.
    Optional<Strategy> fastestOf(Collection<Strategy> some) {
        return walls.keySet().stream().filter(some::contains).findFirst();
    }

    /// How many times as long `slow` takes as `fast`; below 1 if it is the other way round.
    ///
    /// @throws IllegalArgumentException if one of them cannot be compared
    public double factor(Strategy slow, Strategy fast) {
        return wall(slow).median() / wall(fast).median();
    }

    /// How many times as fast `fast` is as `slow`, of two that are told apart: in a noisy run what their intervals
    /// leave over, the near ends against each other, and so at least.
    double lead(Strategy fast, Strategy slow) {
        return noisy ? Words.roundedDown(wall(slow).low() / wall(fast).high()) : factor(slow, fast);
    }

    /// How many times as long a strategy takes as the fastest; in a noisy run at least. Says something only of those
    /// who are told apart from it.
    ///
    /// @throws IllegalArgumentException if it cannot be compared
    public double behind(Strategy strategy) {
        return lead(best().orElseThrow(), strategy);
    }

    /// @throws IllegalArgumentException if it cannot be compared
    public Estimate wall(Strategy strategy) {
        Estimate wall = walls.get(strategy);
        if (wall == null) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "nothing to compare: strategy=%s, sizeBytes=%d",
                strategy, sizeBytes));
        }
        return wall;
    }
}
