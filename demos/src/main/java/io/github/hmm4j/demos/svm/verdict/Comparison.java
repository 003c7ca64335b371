package io.github.hmm4j.demos.svm.verdict;

import io.github.hmm4j.demos.svm.Cell;
import io.github.hmm4j.demos.svm.Cell.Figures;
import io.github.hmm4j.demos.svm.Cell.Status;
import io.github.hmm4j.demos.svm.Estimate;
import java.util.List;
import java.util.Optional;

/// When one measurement counts as faster than another.
public final class Comparison {
    /// Medians that are nearer to each other than this part of the smaller one are level, however sure they are.
    static final double LEAST_DIFFERENCE = 0.05;

    /// Intervals that overlap are level only where a factor above this can be excluded.
    static final double MOST_UNNOTICED = 1.25;

    /// How two medians stand to each other. Whoever is `APART` is the faster or the slower one, as the medians say.
    enum Relation { LEVEL, UNDECIDED, APART }

    private static final List<String> RULE = List.of(
        "One strategy is faster than another at a size only if the confidence intervals of their medians do not overlap and the medians are more than 5 % apart.",
        "Two are level if their medians are at most 5 % apart, or if the intervals overlap and lie within 25 % of each other, farthest end against farthest end.",
        "Else they are not told apart: a difference of more than 25 % is possible, but not shown. That says how noisy the run was, not that they are alike.",
        "The fastest at a size is the one with the smallest median; all that are level with it lead together.",
        "What is recommended at a size is level with the fastest, and level with or faster than every other; where others are not told apart from it, there is no clear winner.",
        "If the median of all noise is above 25 %, nothing is ranked over the whole run, near medians make nobody"
            + " level, nobody leads where another may be the fastest, and factors are what the intervals leave over at"
            + " least: their near ends against each other.",
        "Neighbouring sizes make up one range if there is a strategy that leads, or is not told apart from the fastest, at all of them; where none does, a crossover lies between.",
        "Where families are compared (fine-grained SVM, explicit copies, paging), each is represented at each size by its fastest member.",
        "Elsewhere a factor is the ratio of two medians.",
        "A result that was wrong, and a median of too few measurements for an interval, take part in no comparison.");

    private Comparison() {}

    /// The rule by which everything here is decided, a sentence each.
    public static List<String> rule() {
        return RULE;
    }

    /// What a cell brings into a comparison; empty if nothing was measured, or too little to say how sure it is.
    public static Optional<Estimate> usable(Cell cell) {
        return cell.status() != Status.MEASURED ? Optional.empty()
            : cell.figures().map(Figures::wall).filter(Comparison::isSure);
    }

    /// @param noisy whether the whole run is too noisy for medians: that two are near to each other says nothing then
    static Relation relation(Estimate one, Estimate other, boolean noisy) {
        double smaller = Math.min(one.median(), other.median());
        boolean near = Math.abs(one.median() - other.median()) <= LEAST_DIFFERENCE * smaller;
        if (near && !noisy) {
            return Relation.LEVEL;
        }
        if (one.low() > other.high() || other.low() > one.high()) {
            return near ? Relation.LEVEL : Relation.APART;
        }
        // Written without a quotient, since a lower end may be zero.
        boolean alike = Math.max(one.high(), other.high()) <= MOST_UNNOTICED * Math.min(one.low(), other.low());
        return alike ? Relation.LEVEL : Relation.UNDECIDED;
    }

    /// A median of zero is a clock that is too coarse, and has no ratio to anything.
    private static boolean isSure(Estimate wall) {
        return wall.confidence() > 0 && wall.median() > 0
            && Double.isFinite(wall.median()) && Double.isFinite(wall.low()) && Double.isFinite(wall.high());
    }
}
