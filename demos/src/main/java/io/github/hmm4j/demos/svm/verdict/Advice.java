package io.github.hmm4j.demos.svm.verdict;

import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.Strategy.Family;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The one line for somebody who has to choose: what to use, and by how much it is ahead, or that there is no clear winner.
final class Advice {
    /// With more changes of the winner than this a line of them is none any more.
    private static final int MOST_CHOICES = 3;
    private static final int MOST_NAMES = 3;

    /// Sizes at which the same win.
    private record Choice(List<Ranking> rankings, Set<Strategy> winners) {}

    private final List<Ranking> rankings;
    private final List<Long> sizes;

    private final boolean noisy;

    private Advice(List<Ranking> rankings, boolean noisy) {
        this.rankings = rankings;
        this.noisy = noisy;
        this.sizes = rankings.stream().map(Ranking::sizeBytes).toList();
    }

    /// @param rankings of one workload, by ascending size
    /// @param noisy    whether the ratios of medians mean nothing, so that only what the ends of the intervals leave over is said
    static String line(List<Ranking> rankings, boolean noisy) {
        return new Advice(rankings, noisy).line();
    }

    private String line() {
        List<String> clauses = new ArrayList<>();
        List<Choice> choices = choices();
        if (choices.size() > MOST_CHOICES) {
            clauses.add("what wins changes " + (choices.size() - 1) + " times with the size");
        } else {
            choices.forEach(choice -> clauses.add(use(choice)));
        }
        unclear(rankings.stream().filter(each -> each.isContest() && each.winners().isEmpty()).toList(), choices.isEmpty()).ifPresent(clauses::add);
        List<Ranking> alone = rankings.stream().filter(each -> each.walls().size() == 1).toList();
        if (!alone.isEmpty()) {
            Set<Strategy> only = EnumSet.noneOf(Strategy.class);
            alone.forEach(ranking -> only.addAll(ranking.leaders()));
            clauses.add("nothing to compare " + Words.names(only) + " with" + where(alone));
        }
        List<Ranking> empty = rankings.stream().filter(each -> each.walls().isEmpty()).toList();
        if (!empty.isEmpty()) {
            clauses.add("nothing can be compared" + where(empty));
        }
        return clauses.isEmpty() ? "Nothing can be compared." : Words.capital(String.join("; ", clauses)) + ".";
    }

    /// As few as there can be, from the smallest size up. Sizes without a clear winner are passed over.
    private List<Choice> choices() {
        List<Choice> choices = new ArrayList<>();
        for (Ranking ranking : rankings) {
            Set<Strategy> winners = ranking.winners();
            if (winners.isEmpty()) {
                continue;
            }
            List<Ranking> at = new ArrayList<>(List.of(ranking));
            if (!choices.isEmpty() && choices.getLast().winners().stream().anyMatch(winners::contains)) {
                Choice last = choices.removeLast();
                winners.retainAll(last.winners());
                at.addAll(0, last.rankings());
            }
            choices.add(new Choice(at, winners));
        }
        return choices;
    }

    private String use(Choice choice) {
        boolean all = choice.rankings().stream().allMatch(ranking -> choice.winners().containsAll(ranking.walls().keySet()));
        String level = !all ? "" : choice.winners().size() <= MOST_NAMES ? " (level)" : " (all are level)";
        String ahead = ahead(choice.rankings(), choice.winners()).map(text -> " (" + text + ")").orElse("");
        return "use " + either(choice) + where(choice.rankings()) + level + ahead;
    }

    private static String either(Choice choice) {
        Set<Strategy> winners = choice.winners();
        if (winners.size() <= MOST_NAMES) {
            return Words.either(winners);
        }
        Set<Strategy> others = EnumSet.noneOf(Strategy.class);
        choice.rankings().forEach(ranking -> others.addAll(ranking.walls().keySet()));
        others.removeAll(winners);
        if (others.isEmpty()) {
            return "any";
        }
        return family(winners).map(family -> "any " + name(family)).orElseGet(() -> others.size() <= MOST_NAMES
            ? "any but " + Words.names(others) : "one of " + winners.size() + " that are level");
    }

    /// @param alone whether there is nothing else to say: then it is worth the room how far the others are behind
    private Optional<String> unclear(List<Ranking> unclear, boolean alone) {
        if (unclear.isEmpty()) {
            return Optional.empty();
        }
        Set<Strategy> contenders = EnumSet.noneOf(Strategy.class);
        unclear.forEach(ranking -> contenders.addAll(ranking.contenders()));
        String among = family(contenders).filter(_ -> contenders.size() > 2).map(family -> " within " + name(family))
            .orElse(contenders.size() <= MOST_NAMES ? " among " + Words.names(contenders) : "");
        return Optional.of("no clear winner" + among + where(unclear)
            + ahead(unclear, contenders).filter(_ -> alone).map(text -> " (the fastest is " + text + ")").orElse(""));
    }

    /// The family of all of them.
    private static Optional<Family> family(Collection<Strategy> strategies) {
        Family family = strategies.iterator().next().family();
        return strategies.stream().allMatch(each -> each.family() == family) ? Optional.of(family) : Optional.empty();
    }

    private static String name(Family family) {
        return family == Family.SVM ? "SVM" : family.title();
    }

    private String where(List<Ranking> some) {
        String ranges = Words.ranges(some.stream().map(Ranking::sizeBytes).toList(), sizes);
        return ranges.isEmpty() ? "" : " " + ranges;
    }

    /// How many times as fast the fastest of some is as the first behind all of them; empty if there is none at any of the sizes.
    private Optional<String> ahead(List<Ranking> rankings, Set<Strategy> some) {
        List<Strategy> rivals = new ArrayList<>();
        List<Double> factors = new ArrayList<>();
        for (Ranking ranking : rankings) {
            Strategy best = ranking.fastestOf(some).orElseThrow();
            ranking.next(best).filter(rival -> !some.contains(rival)).ifPresent(rival -> {
                double lead = ranking.lead(best, rival);
                if (Words.isMore(lead)) {
                    rivals.add(rival);
                    factors.add(lead);
                }
            });
        }
        if (rivals.isEmpty()) {
            return Optional.empty();
        }
        double[] sorted = factors.stream().mapToDouble(each -> each).sorted().toArray();
        boolean same = rivals.stream().distinct().count() == 1;
        return Optional.of(Words.atLeast(noisy) + Words.factors(sorted[0], sorted[sorted.length - 1])
            + " times as fast as " + (same ? Words.name(rivals.getFirst()) : "the next"));
    }
}
