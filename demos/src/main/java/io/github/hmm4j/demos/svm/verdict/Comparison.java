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

    private static final List<String> RULE = List.of(
        "Two strategies differ at a size only if the confidence intervals of their medians do not overlap and the medians are more than 5 % apart; else they are level.",
        "The fastest at a size is the one with the smallest median; all that are level with it lead together.",
        "Neighbouring sizes make up one range if there is a strategy that leads at all of them; where no strategy does, a crossover lies between.",
        "Where families are compared (fine-grained SVM, explicit copies, paging), each is represented at each size by its fastest member.",
        "A factor is the ratio of two medians.",
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

    static boolean level(Estimate one, Estimate other) {
        boolean overlap = one.low() <= other.high() && other.low() <= one.high();
        double smaller = Math.min(one.median(), other.median());
        return overlap || Math.abs(one.median() - other.median()) <= LEAST_DIFFERENCE * smaller;
    }

    /// A median of zero is a clock that is too coarse, and has no ratio to anything.
    private static boolean isSure(Estimate wall) {
        return wall.confidence() > 0 && wall.median() > 0
            && Double.isFinite(wall.median()) && Double.isFinite(wall.low()) && Double.isFinite(wall.high());
    }
}
