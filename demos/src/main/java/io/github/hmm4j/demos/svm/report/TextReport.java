package io.github.hmm4j.demos.svm.report;

import io.github.hmm4j.demos.report.Table;
import io.github.hmm4j.demos.svm.Cell;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.SvmResults;
import io.github.hmm4j.demos.svm.verdict.Comparison;
import io.github.hmm4j.demos.svm.verdict.Duel;
import io.github.hmm4j.demos.svm.verdict.Grid;
import io.github.hmm4j.demos.svm.verdict.Overall;
import io.github.hmm4j.demos.svm.verdict.Ranking;
import io.github.hmm4j.demos.svm.verdict.Verdict;
import io.github.hmm4j.demos.svm.verdict.Words;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// The results for a terminal: a small table of medians for each workload with its verdict, then the answer.
final class TextReport {
    private static final int WIDTH = 110;
    /// The blank between them, at which no line should end.
    private static final Pattern NUMBER_AND_UNIT = Pattern.compile("(\\d) (?=([KMGT]i)?B\\b|[num]?s\\b|times\\b|%)");

    private final SvmResults results;
    private final Grid grid;

    TextReport(SvmResults results, Grid grid) {
        this.results = results;
        this.grid = grid;
    }

    String of(Overall overall, List<Verdict> verdicts) {
        StringBuilder text = new StringBuilder();
        for (Verdict verdict : verdicts) {
            wrap(text, "", verdict.workload().title() + " - " + verdict.workload().question());
            text.append('\n').append(table(verdict)).append('\n');
            wrap(text, "", verdict.advice());
            wrap(text, "  - ", verdict.sentence());
            for (Duel duel : verdict.duels()) {
                wrap(text, "  - ", duel.sentence());
            }
            verdict.notes().forEach(note -> wrap(text, "  - ", note));
            text.append('\n');
        }
        wrap(text, "", "On " + Titles.device(results.device()) + ": " + overall.headline());
        verdicts.forEach(verdict -> wrap(text, "  - ", Words.name(verdict.workload()) + ": " + verdict.advice()));
        overall.parts().forEach(part -> wrap(text, "  - ", part.title() + ": " + part.text()));
        overall.caveats().forEach(caveat -> wrap(text, "  - ", caveat));
        text.append('\n');
        wrap(text, "", "Times are medians of one operation. * leads: fastest or level with the fastest; ~ not told apart from the fastest; ? too few measurements to compare; "
            + "unsupp.: not supported by this device.");
        Comparison.rule().forEach(sentence -> wrap(text, "", sentence));
        return text.toString();
    }

    private Table table(Verdict verdict) {
        List<Long> sizes = grid.sizes(verdict.workload());
        List<String> titles = new ArrayList<>(List.of("strategy"));
        sizes.forEach(size -> titles.add(Words.size(size)));
        Table table = new Table(titles.toArray(String[]::new));
        for (Strategy strategy : grid.strategies()) {
            List<String> row = new ArrayList<>(List.of(Words.name(strategy)));
            for (long size : sizes) {
                row.add(grid.cell(verdict.workload(), size, strategy).map(cell -> cell(cell, verdict)).orElse("-"));
            }
            table.row(row.toArray());
        }
        return table;
    }

    private static String cell(Cell cell, Verdict verdict) {
        return switch (cell.status()) {
            case NOT_SUPPORTED -> "unsupp.";
            case FAILED -> "FAILED";
            case MEASURED -> cell.figures().map(figures -> Words.time(figures.wall().median())).orElse("?") + mark(cell, verdict);
        };
    }

    private static String mark(Cell cell, Verdict verdict) {
        Optional<Ranking> ranking = verdict.ranking(cell.sizeBytes());
        boolean leads = ranking.filter(each -> each.isContest() && each.leaders().contains(cell.strategy())).isPresent();
        boolean undecided = ranking.filter(each -> each.undecided().contains(cell.strategy())).isPresent();
        return Comparison.usable(cell).isEmpty() ? "?" : leads ? "*" : undecided ? "~" : " ";
    }

    /// Whole words, `WIDTH` columns, what follows the first line under where it began.
    private static void wrap(StringBuilder text, String beginning, String sentence) {
        StringBuilder line = new StringBuilder(beginning);
        String indent = " ".repeat(beginning.length());
        for (String word : NUMBER_AND_UNIT.matcher(sentence).replaceAll("$1\u00a0").split(" ", -1)) {
            if (line.length() + 1 + word.length() > WIDTH) {
                text.append(line.toString().stripTrailing()).append('\n');
                line = new StringBuilder(indent);
            }
            line.append(word.replace('\u00a0', ' ')).append(' ');
        }
        text.append(line.toString().stripTrailing()).append('\n');
    }
}
