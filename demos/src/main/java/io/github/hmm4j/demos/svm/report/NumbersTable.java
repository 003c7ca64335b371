package io.github.hmm4j.demos.svm.report;

import io.github.hmm4j.demos.svm.Cell;
import io.github.hmm4j.demos.svm.Cell.Figures;
import io.github.hmm4j.demos.svm.Estimate;
import io.github.hmm4j.demos.svm.verdict.Comparison;
import io.github.hmm4j.demos.svm.verdict.Grid;
import io.github.hmm4j.demos.svm.verdict.Verdict;
import io.github.hmm4j.demos.svm.verdict.Words;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// All numbers of a workload, a row for each cell; what was not measured is a row, too, with the reason.
final class NumbersTable {
    private static final List<String> FIGURES = List.of("Median", "Interval", "p10 to p90", "Noise", "Samples", "Device time",
        "To device", "To host", "Latency p50 / p99 / p99.9");

    private final Grid grid;
    private final Verdict verdict;

    NumbersTable(Grid grid, Verdict verdict) {
        this.grid = grid;
        this.verdict = verdict;
    }

    void addTo(Markup page) {
        page.open("div", "class", "scroll", "tabindex", "0", "role", "region", "aria-label", "All numbers of " + verdict.workload().title());
        page.open("table").open("thead").open("tr");
        page.element("th", "Size", "scope", "col").element("th", "Strategy", "scope", "col", "class", "name");
        FIGURES.forEach(title -> page.element("th", title, "scope", "col"));
        page.close().close();
        for (long size : grid.sizes(verdict.workload())) {
            page.open("tbody");
            grid.row(verdict.workload(), size).forEach(cell -> row(page, cell));
            page.closeLine();
        }
        page.close().closeLine();
    }

    private void row(Markup page, Cell cell) {
        boolean leads = verdict.ranking(cell.sizeBytes()).filter(each -> each.isContest() && each.leaders().contains(cell.strategy())).isPresent();
        page.open("tr", "class", leads ? "leads" : "");
        page.element("td", Words.size(cell.sizeBytes()));
        page.open("th", "scope", "row", "class", "name").add(Look.of(cell.strategy()).icon()).text(" " + Words.name(cell.strategy())).close();
        Optional<Figures> figures = cell.figures();
        if (figures.isPresent()) {
            figures(page, figures.get(), Comparison.usable(cell).isPresent(), leads);
        } else {
            String why = cell.status() == Cell.Status.FAILED ? "failed: " + cell.why() : cell.why();
            page.element("td", why, "class", cell.status() == Cell.Status.FAILED ? "why failed" : "why", "colspan", FIGURES.size());
        }
        page.close();
    }

    private static void figures(Markup page, Figures figures, boolean usable, boolean leads) {
        Estimate wall = figures.wall();
        page.element("td", time(wall.median()), "class", leads ? "best" : "");
        page.element("td", usable ? time(wall.low()) + " to " + time(wall.high()) : "too few measurements");
        page.element("td", time(wall.p10()) + " to " + time(wall.p90()));
        page.element("td", Double.isFinite(wall.noise()) ? String.format(Locale.ROOT, "%.1f %%", wall.noise() * 100) : "-");
        page.element("td", Integer.toString(wall.samples()));
        page.element("td", figures.device().map(device -> time(device.median())).orElse("-"));
        page.element("td", Words.size(figures.bytesToDevice())).element("td", Words.size(figures.bytesToHost()));
        page.element("td", figures.latencies().map(each -> Words.time(each.p50()) + " / " + Words.time(each.p99()) + " / " + Words.time(each.p999())).orElse("-"));
    }

    private static String time(double nanos) {
        return Double.isFinite(nanos) ? Words.time(nanos) : "-";
    }
}
