package io.github.hmm4j.demos.svm.verdict;

import io.github.hmm4j.demos.svm.Strategy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/// Neighbouring sizes at which the same strategies may be the fastest: a change of the lead that noise could explain ends no span.
///
/// @param rankings by size, never empty
/// @param common   who leads, or is not told apart from the fastest, at each of them; empty if nothing can be compared there
public record Span(List<Ranking> rankings, Set<Strategy> common) {
    /// Cuts the sizes into as few spans as there can be.
    static List<Span> of(List<Ranking> rankings) {
        List<Span> spans = new ArrayList<>();
        for (Ranking ranking : rankings) {
            Span last = spans.isEmpty() ? null : spans.getLast();
            if (last != null && last.goesOnWith(ranking)) {
                spans.removeLast();
                spans.add(last.with(ranking));
            } else {
                spans.add(new Span(List.of(ranking), ranking.contenders()));
            }
        }
        return spans;
    }

    Ranking first() {
        return rankings.getFirst();
    }

    Ranking last() {
        return rankings.getLast();
    }

    boolean isEmpty() {
        return common.isEmpty();
    }

    /// Whether there was anything to be faster than.
    boolean isContest() {
        return first().isContest();
    }

    /// Who leads at each of the sizes; empty also where nobody is sure to.
    public Set<Strategy> leaders() {
        Set<Strategy> leaders = EnumSet.noneOf(Strategy.class);
        leaders.addAll(common);
        rankings.forEach(ranking -> leaders.retainAll(ranking.leaders()));
        return leaders;
    }

    /// Who is not told apart from the fastest at any of the sizes, apart from those who lead at all of them.
    Set<Strategy> undecided() {
        Set<Strategy> undecided = EnumSet.noneOf(Strategy.class);
        rankings.forEach(ranking -> undecided.addAll(ranking.undecided()));
        undecided.removeAll(leaders());
        return undecided;
    }

    /// Who has a result at any of the sizes, but cannot be the fastest at all of them.
    Set<Strategy> others() {
        Set<Strategy> others = EnumSet.noneOf(Strategy.class);
        rankings.forEach(ranking -> others.addAll(ranking.walls().keySet()));
        others.removeAll(common);
        return others;
    }

    /// Whether at each of the sizes these and no others lead.
    boolean isSame() {
        return rankings.stream().allMatch(ranking -> ranking.leaders().equals(common));
    }

    /// Whether all who lead are told apart from all others: one that is level with the fastest need not be, and then is
    /// not shown to be faster.
    boolean isClear() {
        return rankings.stream().allMatch(ranking -> ranking.winners().equals(ranking.leaders()));
    }

    /// A strategy that is alone at a size wins nothing there, so such sizes are a span of their own.
    private boolean goesOnWith(Ranking ranking) {
        boolean bothEmpty = isEmpty() && ranking.walls().isEmpty();
        boolean bothContests = isContest() == ranking.isContest();
        return bothEmpty || (bothContests && !both(common, ranking.contenders()).isEmpty());
    }

    private Span with(Ranking ranking) {
        List<Ranking> longer = new ArrayList<>(rankings);
        longer.add(ranking);
        return new Span(longer, both(common, ranking.contenders()));
    }

    private static Set<Strategy> both(Collection<Strategy> some, Collection<Strategy> others) {
        Set<Strategy> both = EnumSet.noneOf(Strategy.class);
        some.stream().filter(others::contains).forEach(both::add);
        return both;
    }
}
