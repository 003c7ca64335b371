package io.github.hmm4j.demos.svm.report;

import io.github.hmm4j.demos.svm.Cell;
import io.github.hmm4j.demos.svm.Estimate;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.verdict.Comparison;
import io.github.hmm4j.demos.svm.verdict.Grid;
import io.github.hmm4j.demos.svm.verdict.Ranking;
import io.github.hmm4j.demos.svm.verdict.Verdict;
import io.github.hmm4j.demos.svm.verdict.Words;
import java.util.List;
import java.util.Map.Entry;
import java.util.Optional;

/// One workload at one size: what to use, and how all compare there. Every case is in the page, folded up by workload; the script of the page
/// puts two lists to choose from in their place and shows the chosen one.
final class Picker {
    private final Grid grid;
    private final List<Verdict> verdicts;

    Picker(Grid grid, List<Verdict> verdicts) {
        this.grid = grid;
        this.verdicts = verdicts;
    }

    void addTo(Markup page) {
        page.open("form", "id", "picker", "hidden", "hidden");
        page.open("label").text("Workload ").open("select", "id", "pick-workload").close().close();
        page.open("label").text("Size of the data ").open("select", "id", "pick-size").close().closeLine();
        page.closeLine();
        page.open("div", "id", "picked", "aria-live", "polite").closeLine();
        page.open("div", "id", "cases");
        for (Verdict verdict : verdicts) {
            page.open("details", "data-workload", verdict.workload().title()).element("summary", verdict.workload().title());
            grid.sizes(verdict.workload()).forEach(size -> add(page, verdict, size));
            page.closeLine();
        }
        page.closeLine();
    }

    private void add(Markup page, Verdict verdict, long size) {
        page.open("div", "class", "case", "data-size", Words.size(size));
        page.element("h3", verdict.workload().title() + ", " + Words.size(size)).element("p", verdict.advice(size), "class", "use");
        page.open("table", "class", "ranking").open("thead").open("tr").element("th", "Strategy", "scope", "col", "class", "name")
            .element("th", "One operation", "scope", "col").element("th", "Against the fastest", "scope", "col").close().close().open("tbody");
        Optional<Ranking> ranking = verdict.ranking(size);
        ranking.ifPresent(each -> each.walls().entrySet().forEach(entry -> row(page, each, entry)));
        for (Cell cell : grid.row(verdict.workload(), size)) {
            if (Comparison.usable(cell).isEmpty()) {
                begin(page, cell.strategy(), "none").element("td", without(cell), "colspan", 2).close();
            }
        }
        page.close().close().closeLine();
    }

    private static void row(Markup page, Ranking ranking, Entry<Strategy, Estimate> entry) {
        Strategy strategy = entry.getKey();
        boolean leads = ranking.isContest() && ranking.leaders().contains(strategy);
        begin(page, strategy, leads ? "leads" : "");
        page.element("td", Words.time(entry.getValue().median()), "class", leads ? "best" : "");
        page.element("td", against(ranking, strategy)).close();
    }

    /// How it stands to the fastest; where medians mean nothing, without what they would say.
    private static String against(Ranking ranking, Strategy strategy) {
        Strategy best = ranking.best().orElseThrow();
        if (!ranking.isContest()) {
            return "alone";
        }
        if (ranking.leaders().contains(strategy)) {
            return strategy == best ? "fastest" : "level";
        }
        if (ranking.undecided().contains(strategy)) {
            return ranking.noisy() ? "not told apart" : Words.factor(ranking.factor(strategy, best)) + "\u00d7 ?";
        }
        double behind = ranking.behind(strategy);
        return Words.isMore(behind) ? Words.atLeast(ranking.noisy()) + Words.factor(behind) + "\u00d7" : "slower";
    }

    private static Markup begin(Markup page, Strategy strategy, String css) {
        return page.open("tr", "class", css).open("th", "scope", "row", "class", "name").add(Look.of(strategy).icon())
            .text(" " + Words.name(strategy)).close();
    }

    private static String without(Cell cell) {
        return switch (cell.status()) {
            case MEASURED -> "too few measurements";
            case FAILED -> "failed";
            case NOT_SUPPORTED -> "not possible here";
        };
    }
}
