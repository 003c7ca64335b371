package io.github.hmm4j.demos.svm.report;

import io.github.hmm4j.demos.svm.Cell;
import io.github.hmm4j.demos.svm.Cell.Status;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.Strategy.Family;
import io.github.hmm4j.demos.svm.SvmResults;
import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.verdict.Comparison;
import io.github.hmm4j.demos.svm.verdict.Grid;
import io.github.hmm4j.demos.svm.verdict.Noise;
import io.github.hmm4j.demos.svm.verdict.Ranking;
import io.github.hmm4j.demos.svm.verdict.Verdict;
import io.github.hmm4j.demos.svm.verdict.Words;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/// Workloads against strategies: who wins at one glance. A field says how many times as long as the best a strategy takes
/// at the size named in its row; the dots below are all sizes.
final class Overview {
    /// The same grid for a wide and for a narrow screen.
    enum Shape {
        WIDE(276, 84, 0, 60, 68), NARROW(2, 42, 40, 78, 120);

        private final double labels;
        private final double column;
        private final double above;
        private final double row;
        private final double head;

        /// @param labels width of the column for the names of the workloads
        /// @param column width of a strategy
        /// @param above  of a row, what its name takes where that stands above its fields
        /// @param row    height of a row
        /// @param head   height of the row with the names of the strategies
        Shape(double labels, double column, double above, double row, double head) {
            this.labels = labels;
            this.column = column;
            this.above = above;
            this.row = row + (above > 0 ? 4 : 0);
            this.head = head;
        }
    }

    private static final String FIELDS = "2.0\u00d7 is twice as long as the best at the size named in the row; "
        + "level: at most 5 % apart, or surely within 25 %; 2.0\u00d7 ? in dashes: not told apart from the best.";
    private static final String NOISY_FIELDS = "\u22652.0\u00d7 is at least twice as long as the smallest median at "
        + "the size named in the row; level: surely within 25 %; ? in dashes: one of those that may be the fastest.";
    static final String DOTS = "Dots are sizes, small to large: full where the strategy leads, alone or level; small where it is not told apart; a ring where it is slower; "
        + "grey where it is alone; a dash without a result.";
    private static final double GAP = 2;
    /// Of the small print in the picture, in pixels: from line to line, and what a letter takes on average, rather too much than too little.
    private static final double LINE = 18;
    private static final double LETTER = 6.8;
    /// From this factor on a field is as pale as it gets.
    private static final double PALEST = 32;

    private final Grid grid;
    private final List<Verdict> verdicts;
    private final Shape shape;
    private final List<Strategy> strategies;

    Overview(Grid grid, List<Verdict> verdicts, Shape shape) {
        this.grid = grid;
        this.verdicts = verdicts;
        this.shape = shape;
        this.strategies = grid.strategies();
    }

    /// What the fields say, for people.
    static String fields(List<Verdict> verdicts) {
        return verdicts.stream().anyMatch(Verdict::noisy) ? NOISY_FIELDS : FIELDS;
    }

    private double width() {
        return shape.labels + shape.column * strategies.size() + 6;
    }

    private double height() {
        return shape.head + shape.row * verdicts.size();
    }

    /// For a page that brings the style.
    String svg() {
        Markup svg = new Markup();
        begin(svg, width(), height());
        draw(svg);
        return svg.close().done();
    }

    /// As a file of its own, on a ground that suits light and dark pages.
    String picture(SvmResults results) {
        Markup svg = new Markup();
        double margin = 24;
        double width = width() + 2 * margin;
        List<String> warning = Noise.warning(results).map(text -> lines(text, width - 2 * margin)).orElse(List.of());
        List<String> legend = Stream.of(fields(verdicts), DOTS)
            .flatMap(text -> lines(text, width - 2 * margin).stream()).toList();
        double above = 62 + LINE * warning.size();
        double below = 10 + LINE * legend.size();
        double height = height() + above + below + margin;
        svg.open("svg", "xmlns", "http://www.w3.org/2000/svg", "viewBox", "0 0 " + Markup.number(width) + " " + Markup.number(height),
            "width", width, "height", height, "role", "img", "aria-labelledby", "overview-title overview-desc");
        svg.element("title", title(), "id", "overview-title").element("desc", description(), "id", "overview-desc");
        svg.open("style").add(Resource.text("overview.css")).close();
        svg.empty("rect", "class", "ground", "x", 0.5, "y", 0.5, "width", width - 1, "height", height - 1, "rx", 10.0);
        svg.element("text", Titles.of(results), "class", "picture-title", "x", margin, "y", margin + 14);
        svg.element("text", Titles.day(results) + "  " + results.command(), "class", "tick", "x", margin, "y", margin + 34);
        column(svg, warning, margin, margin + 34 + LINE);
        svg.open("g", "transform", "translate(" + Markup.number(margin) + " " + Markup.number(above + 8) + ")");
        draw(svg);
        svg.close();
        column(svg, legend, margin, height - margin - LINE * (legend.size() - 1));
        return svg.close().done() + "\n";
    }

    private static void column(Markup svg, List<String> lines, double x, double y) {
        for (int i = 0; i < lines.size(); i++) {
            svg.element("text", lines.get(i), "class", "tick", "x", x, "y", y + LINE * i);
        }
    }

    /// Whole words, since a picture has no running text.
    private static List<String> lines(String text, double width) {
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        for (String word : text.split(" ", -1)) {
            if (!line.isEmpty() && (line.length() + 1 + word.length()) * LETTER > width) {
                lines.add(line.toString());
                line.setLength(0);
            }
            line.append(line.isEmpty() ? "" : " ").append(word);
        }
        lines.add(line.toString());
        return lines;
    }

    private void begin(Markup svg, double width, double height) {
        String id = "overview-" + shape.name().toLowerCase(Locale.ROOT);
        Figure.begin(svg, id, id, width, height, title(), description());
    }

    private static String title() {
        return "Who wins: workloads against strategies";
    }

    private String description() {
        StringBuilder text = new StringBuilder();
        verdicts.forEach(verdict -> text.append(verdict.workload().title()).append(": ").append(verdict.advice()).append(' '));
        return text.toString().stripTrailing();
    }

    private void draw(Markup svg) {
        groups(svg);
        for (int i = 0; i < strategies.size(); i++) {
            head(svg, Look.of(strategies.get(i)), shape.labels + shape.column * i + shape.column / 2);
        }
        for (int i = 0; i < verdicts.size(); i++) {
            row(svg, verdicts.get(i), shape.head + shape.row * i);
        }
    }

    /// What kind of strategy the columns are, over a line as wide as they are.
    private void groups(Markup svg) {
        for (Family family : Family.values()) {
            List<Strategy> members = strategies.stream().filter(each -> each.family() == family).toList();
            if (members.isEmpty()) {
                continue;
            }
            double x = shape.labels + shape.column * strategies.indexOf(members.getFirst());
            double width = shape.column * members.size() - GAP;
            svg.element("text", group(family), "class", "tick middle", "x", x + width / 2, "y", 11.0);
            svg.empty("rect", "class", "group", "x", x, "y", 17.0, "width", width, "height", 1.0);
        }
    }

    /// Where there is little room, the column of the only one of its kind needs no more than its name.
    private String group(Family family) {
        return switch (family) {
            case COPIES -> "copies";
            case ZERO_COPY -> shape == Shape.WIDE ? "zero-copy" : "";
            case SVM -> "SVM";
            case PAGING -> shape == Shape.WIDE ? "hmm4j paging" : "hmm4j";
        };
    }

    private void head(Markup svg, Look look, double x) {
        if (shape == Shape.WIDE) {
            look.mark(svg, x, 32, 5);
            svg.element("text", look.label(), "class", "label middle", "x", x, "y", 54.0);
        } else {
            look.mark(svg, x, shape.head - 8, 5);
            svg.element("text", look.label(), "class", "label", "transform",
                "translate(" + Markup.number(x + 4) + " " + Markup.number(shape.head - 19) + ") rotate(-90)");
        }
    }

    private void row(Markup svg, Verdict verdict, double y) {
        Workload workload = verdict.workload();
        Optional<Ranking> ranking = grid.commonSize(workload).flatMap(verdict::ranking);
        String where = ranking.map(each -> "at " + Words.size(each.sizeBytes()) + best(each)).orElse("no result");
        double fields = y + shape.above;
        double middle = fields + (shape.row - shape.above) / 2;
        if (shape == Shape.WIDE) {
            svg.element("text", workload.title(), "class", "row", "x", 0.0, "y", middle - 3);
            svg.element("text", where, "class", "tick", "x", 0.0, "y", middle + 14);
        } else {
            svg.element("text", workload.title(), "class", "row", "x", shape.labels, "y", y + 18);
            svg.element("text", where, "class", "tick", "x", shape.labels, "y", y + 33);
        }
        for (int i = 0; i < strategies.size(); i++) {
            field(svg, workload, strategies.get(i), ranking, verdict, shape.labels + shape.column * i, fields);
        }
    }

    /// What the fastest takes, where its median says so.
    private static String best(Ranking ranking) {
        return ranking.leaders().isEmpty() && ranking.noisy() ? ", no clear winner"
            : ranking.best().map(best -> ", best " + Words.time(ranking.wall(best).median())).orElse("");
    }

    private void field(Markup svg, Workload workload, Strategy strategy, Optional<Ranking> ranking, Verdict verdict, double x, double y) {
        double width = shape.column - GAP;
        double height = shape.row - shape.above - GAP;
        boolean compared = ranking.filter(each -> each.walls().containsKey(strategy)).isPresent();
        boolean leads = ranking.filter(each -> each.isContest() && each.leaders().contains(strategy)).isPresent();
        double factor = compared ? ranking.map(each -> Math.max(1, each.behind(strategy))).orElseThrow() : 1;
        boolean undecided = ranking.filter(each -> each.undecided().contains(strategy)).isPresent();
        String css = leads ? "field leads" : undecided ? "field undecided" : compared ? "field" : "field no-result";
        double shade = leads ? 1 : undecided ? 0.08 : compared ? 0.34 - 0.30 * Math.min(1, Math.log(factor) / Math.log(PALEST)) : 1;
        Optional<Cell> cell = ranking.flatMap(each -> grid.cell(workload, each.sizeBytes(), strategy));
        svg.open("g");
        svg.element("title", Words.name(strategy) + ": " + cell.map(Overview::hint).orElse("no result"));
        svg.empty("rect", "class", css, "x", x, "y", y, "width", width, "height", height, "rx", 4.0, "fill-opacity", shade);
        String text = !compared ? cell.map(Overview::without).orElse("\u2013")
            : !ranking.orElseThrow().isContest() ? "only"
            : leads ? ranking.orElseThrow().best().orElseThrow() == strategy ? "best" : "level"
            : !verdict.noisy() ? factor(factor, undecided)
            : undecided ? "?" : "\u2265" + factor(shape == Shape.NARROW ? Math.floor(factor * 10) / 10 : factor, false);
        String size = shape == Shape.NARROW ? " small" : "";
        svg.element("text", text, "class", (leads ? "value middle on-lead" : compared ? "value middle" : "value middle none") + size,
            "x", x + width / 2, "y", y + height / 2 - 2);
        dots(svg, workload, strategy, verdict, leads, x + width / 2, y + height - 11);
        svg.close();
    }

    private void dots(Markup svg, Workload workload, Strategy strategy, Verdict verdict, boolean onLead, double middle, double y) {
        List<Long> sizes = grid.sizes(workload);
        double step = Math.min(8, (shape.column - 10) / sizes.size());
        double radius = Math.min(2.6, step * 0.36);
        String css = onLead ? " on-lead" : "";
        for (int i = 0; i < sizes.size(); i++) {
            double x = middle + (i - (sizes.size() - 1) / 2.0) * step;
            boolean usable = grid.usable(workload, sizes.get(i), strategy).isPresent();
            if (usable) {
                Ranking ranking = verdict.ranking(sizes.get(i)).orElseThrow();
                boolean leads = ranking.leaders().contains(strategy);
                boolean undecided = ranking.undecided().contains(strategy);
                String kind = !ranking.isContest() ? "dot" : leads || undecided ? "dot full" : "dot ring";
                svg.empty("circle", "class", kind + css, "cx", x, "cy", y, "r", leads ? radius : undecided ? radius * 0.55 : radius - 0.4);
            } else {
                svg.empty("rect", "class", "dot dash" + css, "x", x - radius * 0.7, "y", y - 0.5, "width", radius * 1.4, "height", 1.0);
            }
        }
    }

    /// One digit after the point has to do where there is little room, and there a question mark stands in for the sign.
    private String factor(double factor, boolean undecided) {
        if (shape == Shape.WIDE) {
            return Words.factor(factor) + "\u00d7" + (undecided ? " ?" : "");
        }
        return (factor < 9.95 ? String.format(Locale.ROOT, "%.1f", factor) : Words.factor(factor)) + (undecided ? "?" : "\u00d7");
    }

    private static String without(Cell cell) {
        return cell.status() == Status.FAILED ? "failed" : cell.status() == Status.MEASURED ? "?" : "\u2013";
    }

    private static String hint(Cell cell) {
        return Comparison.usable(cell).map(wall -> Words.time(wall.median()) + " (" + Words.time(wall.low()) + " to " + Words.time(wall.high()) + ")")
            .orElse(cell.status() == Status.MEASURED ? "too few measurements" : cell.why());
    }
}
