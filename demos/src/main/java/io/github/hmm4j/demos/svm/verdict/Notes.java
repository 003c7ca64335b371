package io.github.hmm4j.demos.svm.verdict;

import io.github.hmm4j.demos.svm.Cell;
import io.github.hmm4j.demos.svm.Cell.Status;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.Workload;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/// What took no part in a comparison, and why: a strategy is never dropped without a word.
final class Notes {
    private static final String PREFIX = "not supported by this device: ";
    /// And the name of the strategy, which the note has anyway.
    private static final Pattern IMPOSSIBLE = Pattern.compile("not possible with .*?: ");

    private record Gap(List<Long> sizes, String reason) {}

    private final Grid grid;
    private final Workload workload;

    Notes(Grid grid, Workload workload) {
        this.grid = grid;
        this.workload = workload;
    }

    /// A sentence each, empty if all strategies took part at all sizes.
    List<String> sentences() {
        List<String> sentences = new ArrayList<>();
        add(sentences, "Not supported by this device: ", Notes::isUnsupported);
        add(sentences, "Not possible on any device: ", cell -> cell.status() == Status.NOT_SUPPORTED && !isUnsupported(cell));
        add(sentences, "Failed, and so not compared: ", cell -> cell.status() == Status.FAILED);
        add(sentences, "Measured too seldom to be compared: ",
            cell -> cell.status() == Status.MEASURED && Comparison.usable(cell).isEmpty());
        List<String> missing = new ArrayList<>();
        for (Strategy strategy : Strategy.values()) {
            List<Long> without = grid.sizes(workload).stream()
                .filter(size -> grid.cell(workload, size, strategy).isEmpty()).toList();
            if (!without.isEmpty() && grid.strategies().contains(strategy)) {
                missing.add(at(Words.name(strategy), without));
            }
        }
        if (!missing.isEmpty()) {
            sentences.add("Not part of this run: " + Words.list(missing) + ".");
        }
        return sentences;
    }

    private void add(List<String> sentences, String beginning, Predicate<Cell> of) {
        // By sizes and reason, so that what several lack is said once.
        SequencedMap<Gap, List<String>> gaps = new LinkedHashMap<>();
        for (Strategy strategy : Strategy.values()) {
            SequencedMap<String, List<Long>> sizes = new LinkedHashMap<>();
            for (long size : grid.sizes(workload)) {
                grid.cell(workload, size, strategy).filter(of)
                    .ifPresent(cell -> sizes.computeIfAbsent(reason(cell), _ -> new ArrayList<>()).add(size));
            }
            sizes.forEach((reason, at) -> gaps.computeIfAbsent(new Gap(at, reason), _ -> new ArrayList<>()).add(Words.name(strategy)));
        }
        List<String> parts = new ArrayList<>();
        gaps.forEach((gap, who) -> parts.add(at(Words.list(who), gap.sizes()) + (gap.reason().isEmpty() ? "" : " (" + gap.reason() + ")")));
        if (!parts.isEmpty()) {
            sentences.add(beginning + String.join("; ", parts) + ".");
        }
    }

    private String at(String name, List<Long> sizes) {
        String ranges = Words.ranges(sizes, grid.sizes(workload));
        return ranges.isEmpty() ? name : name + " " + ranges;
    }

    /// Whether the device lacks something, rather than the strategy.
    static boolean isUnsupported(Cell cell) {
        return cell.status() == Status.NOT_SUPPORTED && cell.why().startsWith(PREFIX);
    }

    private static String reason(Cell cell) {
        return isUnsupported(cell) ? cell.why().substring(PREFIX.length()) : IMPOSSIBLE.matcher(cell.why()).replaceFirst("");
    }
}
