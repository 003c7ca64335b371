package io.github.hmm4j.demos.svm.verdict;

import io.github.hmm4j.demos.svm.Estimate;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.Strategy.Family;
import io.github.hmm4j.demos.svm.Workload;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// How one family stands to another with one workload: the fastest of the one against the fastest of the other.
///
/// @param rounds by size, one for each at which both sides can be compared
/// @param sizes  all sizes of the workload, in bytes
/// @param noisy  whether the whole run is too noisy for ratios of medians: then a factor of a round that one side won
///               is the least that the intervals leave over
public record Duel(Workload workload, Sides sides, List<Round> rounds, List<Long> sizes, boolean noisy) {
    /// Whose fastest member fights.
    public enum Side {
        FINE_GRAINED("fine-grained SVM"), COPIES("explicit copies"), PAGING("paging");

        private final String title;

        Side(String title) {
            this.title = title;
        }

        /// As in the middle of a sentence.
        public String title() {
            return title;
        }

        List<Strategy> members() {
            return switch (this) {
                case FINE_GRAINED -> List.of(Strategy.SVM_FINE, Strategy.SVM_ATOMICS, Strategy.SVM_SYSTEM);
                case COPIES -> family(Family.COPIES);
                case PAGING -> family(Family.PAGING);
            };
        }

        private static List<Strategy> family(Family family) {
            return Stream.of(Strategy.values()).filter(strategy -> strategy.family() == family).toList();
        }
    }

    /// The pairs that the questions of this benchmark are about.
    public enum Sides {
        FINE_AGAINST_COPIES(Side.FINE_GRAINED, Side.COPIES),
        FINE_AGAINST_PAGING(Side.FINE_GRAINED, Side.PAGING),
        COPIES_AGAINST_PAGING(Side.COPIES, Side.PAGING);

        private final Side one;
        private final Side other;

        Sides(Side one, Side other) {
            this.one = one;
            this.other = other;
        }

        public Side one() {
            return one;
        }

        public Side other() {
            return other;
        }

        /// `Fine-grained SVM against explicit copies`.
        public String title() {
            return Words.capital(one.title()) + " against " + other.title();
        }
    }

    public enum Outcome { FASTER, LEVEL, UNDECIDED, SLOWER }

    /// @param outcome of the first side
    /// @param factor  how many times as long the other side takes: above 1 where the first is faster
    /// @param one     who stood for the first side
    public record Round(long sizeBytes, Outcome outcome, double factor, Strategy one) {}

    public Duel {
        rounds = List.copyOf(rounds);
        sizes = List.copyOf(sizes);
    }

    static Duel of(Workload workload, Sides sides, List<Ranking> rankings, boolean noisy) {
        List<Round> rounds = new ArrayList<>();
        for (Ranking ranking : rankings) {
            Optional<Strategy> one = ranking.fastestOf(sides.one.members());
            Optional<Strategy> other = ranking.fastestOf(sides.other.members());
            if (one.isPresent() && other.isPresent()) {
                boolean ahead = ranking.factor(other.get(), one.get()) > 1;
                Estimate wall = ranking.wall(one.get());
                Outcome outcome = switch (Comparison.relation(wall, ranking.wall(other.get()), noisy)) {
                    case LEVEL -> Outcome.LEVEL;
                    case UNDECIDED -> Outcome.UNDECIDED;
                    case APART -> ahead ? Outcome.FASTER : Outcome.SLOWER;
                };
                double factor = switch (outcome) {
                    case FASTER -> ranking.lead(one.get(), other.get());
                    case SLOWER -> 1 / ranking.lead(other.get(), one.get());
                    case LEVEL, UNDECIDED -> ranking.factor(other.get(), one.get());
                };
                rounds.add(new Round(ranking.sizeBytes(), outcome, factor, one.get()));
            }
        }
        return new Duel(workload, sides, rounds, rankings.stream().map(Ranking::sizeBytes).toList(), noisy);
    }

    /// Those that ended in one way.
    public List<Round> rounds(Outcome outcome) {
        return rounds.stream().filter(round -> round.outcome() == outcome).toList();
    }

    /// `Fine-grained SVM against explicit copies: faster up to 64 KiB (...), level from 256 KiB on.`
    public String sentence() {
        String title = sides.title() + ": ";
        if (rounds.isEmpty()) {
            return title + "cannot be compared, since one of the two has no result.";
        }
        List<String> clauses = new ArrayList<>();
        int begin = 0;
        for (int i = 1; i <= rounds.size(); i++) {
            if (i == rounds.size() || rounds.get(i).outcome() != rounds.get(begin).outcome()) {
                clauses.add(clause(rounds.subList(begin, i)));
                begin = i;
            }
        }
        return title + String.join(", ", clauses) + ".";
    }

    private String clause(List<Round> same) {
        Round first = same.getFirst();
        Round last = same.getLast();
        String how = switch (first.outcome()) {
            case FASTER -> "faster";
            case LEVEL -> "level";
            case UNDECIDED -> "not told apart";
            case SLOWER -> "slower";
        };
        // Sizes at which a side is missing are no ends of anything: ranges() names the others one by one.
        String where = Words.ranges(same.stream().map(Round::sizeBytes).toList(), sizes);
        String text = how + " " + (where.isEmpty() ? Words.range(sizes.getFirst(), sizes.getLast(), sizes) : where);
        if (first.outcome() == Outcome.LEVEL || first.outcome() == Outcome.UNDECIDED) {
            return text;
        }
        String factors = same.size() == 1 ? factor(first)
            : factor(first) + " at " + Words.size(first.sizeBytes()) + ", " + factor(last) + " at " + Words.size(last.sizeBytes());
        return text + " (" + Words.atLeast(noisy) + factors + ")";
    }

    private static String factor(Round round) {
        return round.outcome() == Outcome.FASTER ? Words.factor(round.factor()) + " times as fast"
            : Words.factor(1 / round.factor()) + " times as long";
    }
}
