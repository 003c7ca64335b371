package io.github.hmm4j.demos.svm.report;

import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.SvmResults;
import io.github.hmm4j.demos.svm.verdict.Comparison;
import io.github.hmm4j.demos.svm.verdict.Duel;
import io.github.hmm4j.demos.svm.verdict.Grid;
import io.github.hmm4j.demos.svm.verdict.Overall;
import io.github.hmm4j.demos.svm.verdict.Verdict;
import io.github.hmm4j.demos.svm.verdict.Words;
import java.util.List;

/// `report.html`: one file, in the order in which a reader asks: what is the answer, how is it for my case, of what machine, how
/// is it for my kind of work, how do you know. Its only script serves the choice of a case; without it all cases are there to unfold.
final class Page {
    private final SvmResults results;
    private final Grid grid;
    private final List<Verdict> verdicts;
    private final Overall overall;
    private final Markup page = new Markup();

    Page(SvmResults results, Grid grid, List<Verdict> verdicts, Overall overall) {
        this.results = results;
        this.grid = grid;
        this.verdicts = verdicts;
        this.overall = overall;
    }

    /// The whole document, which is XML as well.
    String html() {
        page.open("html", "lang", "en").open("head");
        page.empty("meta", "charset", "utf-8");
        page.empty("meta", "name", "viewport", "content", "width=device-width, initial-scale=1");
        page.empty("meta", "name", "color-scheme", "content", "light dark");
        page.element("title", Titles.of(results));
        page.open("style").add(Resource.text("report.css")).close().closeLine();
        page.open("body").open("main");
        heading();
        contents();
        answer();
        cases();
        facts();
        strategies();
        verdicts.forEach(this::workload);
        method();
        page.closeLine();
        // Neither HTML nor XML changes a character of it: it holds no less-than sign and no ampersand.
        page.open("script").add(Resource.text("report.js")).closeLine().closeLine().closeLine();
        return "<!DOCTYPE html>\n" + page.done();
    }

    private void heading() {
        page.open("header");
        page.element("p", Titles.day(results), "class", "date");
        page.open("h1").text("SVM, copies or paging?").closeLine();
        page.element("p", "Measured on " + Titles.device(results.device()), "class", "device");
        page.closeLine();
    }

    private void contents() {
        page.open("nav", "class", "contents", "aria-label", "Contents").open("ul");
        link("answer", "The answer");
        if (!verdicts.isEmpty()) {
            link("case", "Your case");
        }
        link("machine", "What was measured on");
        link("strategies", "The strategies");
        link("method", "How it was measured");
        link("again", "To do it again");
        page.close().open("ul");
        verdicts.forEach(verdict -> link(verdict.workload().toString(), verdict.workload().title()));
        page.close().closeLine();
    }

    private void link(String id, String title) {
        page.open("li").element("a", title, "href", "#" + id).close();
    }

    private void answer() {
        page.open("section", "id", "answer").element("h2", "The answer");
        page.element("p", overall.headline(), "class", "lead");
        overall.caveats().forEach(caveat -> page.element("p", caveat, "class", "caveat"));
        if (!verdicts.isEmpty()) {
            page.open("dl", "class", "advice");
            for (Verdict verdict : verdicts) {
                page.open("div").open("dt").element("a", verdict.workload().title(), "href", "#" + verdict.workload()).close();
                page.element("dd", verdict.advice()).close();
            }
            page.closeLine();
            page.open("figure", "class", "overview");
            page.open("div", "class", "wide").add(new Overview(grid, verdicts, Overview.Shape.WIDE).svg()).close();
            page.open("div", "class", "narrow").add(new Overview(grid, verdicts, Overview.Shape.NARROW).svg()).close();
            page.element("figcaption", Overview.fields(verdicts) + " " + Overview.DOTS).closeLine();
        }
        for (Overall.Part part : overall.parts()) {
            page.element("h3", part.title()).open("ul", "class", "answer");
            part.clauses().forEach(clause -> page.element("li", Words.capital(clause) + "."));
            page.closeLine();
        }
        page.closeLine();
    }

    private void cases() {
        if (!verdicts.isEmpty()) {
            page.open("section", "id", "case").element("h2", "Your case");
            new Picker(grid, verdicts).addTo(page);
            page.closeLine();
        }
    }

    private void facts() {
        page.open("section", "id", "machine").element("h2", "What was measured on").open("div", "class", "facts");
        for (Facts.Group group : Facts.of(results)) {
            page.open("div").element("h3", group.title()).open("dl");
            group.facts().forEach(fact -> page.element("dt", fact.name()).element("dd", fact.text()));
            page.close().closeLine();
        }
        page.close().closeLine();
    }

    private void strategies() {
        page.open("section", "id", "strategies").element("h2", "The strategies").open("dl", "class", "key");
        for (Strategy strategy : grid.strategies()) {
            page.open("div").open("dt").add(Look.of(strategy).icon()).text(" " + Words.name(strategy));
            page.element("span", Look.of(strategy).label(), "class", "short").close();
            page.element("dd", strategy.meaning() + ".").close();
        }
        page.close().closeLine();
    }

    private void workload(Verdict verdict) {
        page.open("section", "class", "workload", "id", verdict.workload().toString());
        page.element("h2", verdict.workload().title()).element("p", verdict.workload().question(), "class", "question");
        page.element("p", "One operation: " + verdict.workload().operation() + ".", "class", "operation");
        page.element("p", verdict.advice(), "class", "lead");
        page.element("p", verdict.sentence(), "class", "operation");
        page.open("ul", "class", "duels");
        verdict.duels().stream().map(Duel::sentence).forEach(sentence -> page.element("li", sentence));
        page.closeLine();
        charts(verdict);
        if (!verdict.notes().isEmpty()) {
            page.open("ul", "class", "notes");
            verdict.notes().forEach(note -> page.element("li", note));
            page.closeLine();
        }
        page.open("details").element("summary", "All numbers");
        new NumbersTable(grid, verdict).addTo(page);
        page.close().closeLine();
    }

    private void charts(Verdict verdict) {
        page.open("div", "class", "charts");
        new CrossoverChart(grid, verdict).svg().ifPresent(svg -> figure(svg, "Time of one operation against the size of the data: "
            + "medians, their confidence intervals as whiskers. The bar above the plot has the colours of those who lead, and pale ones of those not told apart from the fastest. "
            + "A hollow mark is a median of too few measurements."));
        page.open("div", "class", "beside");
        LatencyChart.of(grid, verdict.workload()).ifPresent(chart -> figure(chart.svg(), "Latencies of single operations at "
            + Words.size(chart.sizeBytes()) + ": at the height of p99 lies the time that 99 % of them do not exceed."));
        BytesChart.of(grid, verdict.workload()).ifPresent(chart -> figure(chart.svg(), "Bytes that one operation moves by copy commands and page faults, at "
            + Words.size(chart.sizeBytes()) + ", and what part of the size that is. What a driver moves by itself is not known."));
        page.close().closeLine();
    }

    private void figure(String svg, String caption) {
        page.open("figure").add(svg).element("figcaption", caption).closeLine();
    }

    private void method() {
        page.open("section", "id", "method").element("h2", "How it was measured").open("dl", "class", "method");
        results.method().forEach((name, sentence) -> page
            .element("dt", Words.capital(name)).element("dd", Words.capital(sentence) + (sentence.endsWith(".") ? "" : ".")));
        page.closeLine();
        page.element("h3", "What counts as faster").open("ol");
        Comparison.rule().forEach(sentence -> page.element("li", sentence));
        page.closeLine().closeLine();
        page.open("section", "id", "again").element("h2", "To do it again");
        page.element("pre", results.command(), "class", "scroll");
        page.element("p", "Beside this file are " + SvmReport.JSON + ", from which all of it is computed, and " + SvmReport.CSV
            + " with a row for each field of the tables.");
        page.closeLine();
    }
}
