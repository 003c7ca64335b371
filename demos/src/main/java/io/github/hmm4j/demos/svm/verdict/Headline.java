package io.github.hmm4j.demos.svm.verdict;

import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.Strategy.Family;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Map.Entry;
import java.util.Optional;
import java.util.stream.Stream;

/// What somebody who has to decide wants to know first: which strategy leads most often, and what the others cost against it.
final class Headline {
    private static final int MOST_NAMES = 3;
    private static final String NOTHING = "Nothing can be said: no two strategies gave results that can be compared.";

    private final Grid grid;
    private final List<Verdict> verdicts;

    Headline(Grid grid, List<Verdict> verdicts) {
        this.grid = grid;
        this.verdicts = verdicts;
    }

    /// Counts leads over all workloads and sizes, since one size alone would depend on which was the last.
    String sentences() {
        Map<Strategy, Integer> leads = new EnumMap<>(Strategy.class);
        int undecided = 0;
        List<Ranking> contests = contests();
        for (Ranking ranking : contests) {
            undecided += ranking.undecided().isEmpty() ? 0 : 1;
            ranking.leaders().forEach(leader -> leads.merge(leader, 1, Integer::sum));
        }
        if (contests.isEmpty()) {
            return NOTHING;
        }
        List<Entry<Strategy, Integer>> order = leads.entrySet().stream()
            .sorted(Comparator.comparingInt((Entry<Strategy, Integer> each) -> -each.getValue())).toList();
        int most = order.getFirst().getValue();
        List<Strategy> first = order.stream().filter(each -> each.getValue() == most).map(Entry::getKey).toList();
        List<String> then = order.stream().skip(first.size()).limit(Math.max(0, MOST_NAMES - first.size()))
            .map(each -> Words.name(each.getKey()) + " in " + each.getValue()).toList();
        return Words.capital(Words.names(first)) + (Words.isPlural(first) ? " lead" : " leads") + " most often: "
            + (first.size() > 1 ? "each " : "") + (contests.size() == 1 ? "in the only combination of workload and size"
                : String.format(Locale.ROOT, "in %d of %d combinations of workload and size",
                    most, contests.size())) + ", alone or level with others"
            + (then.isEmpty() ? "" : ", then " + Words.list(then))
            + (undecided == 0 ? "." : contests.size() == 1 ? ", without a clear winner." : String.format(Locale.ROOT, "; %d of them have no clear winner.",
                undecided)) + costs(first.getFirst());
    }

    /// For a run in which the order of the medians means nothing: how often the intervals name somebody all the same.
    ///
    /// @param noise the median of all noise, as a part of the medians
    String withoutRanking(double noise) {
        List<Ranking> contests = contests();
        if (contests.isEmpty()) {
            return NOTHING;
        }
        long clear = contests.stream().filter(ranking -> !ranking.winners().isEmpty()).count();
        return String.format(Locale.ROOT, "This run is too noisy to rank the strategies: the median noise is %.1f %%, above the limit of %.0f %%. "
            + "Only what the confidence intervals show is said here; in %d of %d combinations of workload and size they show a winner.",
            noise * 100, Noise.TOO_MUCH * 100, clear, contests.size());
    }

    private List<Ranking> contests() {
        return verdicts.stream().flatMap(verdict -> verdict.spans().stream()).flatMap(span -> span.rankings().stream())
            .filter(Ranking::isContest).toList();
    }

    /// What the best of each other family takes against one strategy, over the workloads with both.
    private String costs(Strategy against) {
        List<String> costs = new ArrayList<>();
        for (Family family : Family.values()) {
            double[] factors = family == against.family() ? new double[0]
                : verdicts.stream().flatMap(verdict -> factor(verdict, family, against).stream()).mapToDouble(each -> each).sorted().toArray();
            if (factors.length > 0) {
                costs.add("%s %s times".formatted(family.title(), Words.factors(factors[0], factors[factors.length - 1])));
            }
        }
        return costs.isEmpty() ? "" : " Against %s, at the largest common size of each workload, the best of each other family takes, by medians: %s as long."
            .formatted(Words.name(against), Words.list(costs));
    }

    private Optional<Double> factor(Verdict verdict, Family family, Strategy against) {
        Optional<Ranking> ranking = grid.commonSize(verdict.workload()).flatMap(verdict::ranking).filter(each -> each.walls().containsKey(against));
        List<Strategy> members = Stream.of(Strategy.values()).filter(each -> each.family() == family).toList();
        return ranking.flatMap(each -> each.fastestOf(members).map(best -> each.factor(best, against)));
    }
}
