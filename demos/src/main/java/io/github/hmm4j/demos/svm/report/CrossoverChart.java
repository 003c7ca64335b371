package io.github.hmm4j.demos.svm.report;

import io.github.hmm4j.demos.svm.Cell.Figures;
import io.github.hmm4j.demos.svm.Estimate;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.verdict.Comparison;
import io.github.hmm4j.demos.svm.verdict.Grid;
import io.github.hmm4j.demos.svm.verdict.Span;
import io.github.hmm4j.demos.svm.verdict.Verdict;
import io.github.hmm4j.demos.svm.verdict.Words;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// Time against size, both logarithmic: a line for each strategy, the confidence interval of each median as a whisker.
final class CrossoverChart {
    private static final double WIDTH = 460;
    private static final double HEIGHT = 370;
    private static final double BAR = 7;
    /// From one size to the next that is named: there is no room for all, and sizes need not lie evenly.
    private static final double NAME = 58;

    private record Point(long sizeBytes, Estimate wall, boolean usable) {}

    private record Series(Look look, List<Point> points) {
        Point last() {
            return points.getLast();
        }
    }

    private final Verdict verdict;
    private final List<Series> series = new ArrayList<>();
    private final List<Long> sizes;

    CrossoverChart(Grid grid, Verdict verdict) {
        this.verdict = verdict;
        Workload workload = verdict.workload();
        sizes = grid.sizes(workload);
        for (Strategy strategy : grid.strategies()) {
            List<Point> points = new ArrayList<>();
            for (long size : sizes) {
                grid.cell(workload, size, strategy).ifPresent(cell -> cell.figures().map(Figures::wall).filter(CrossoverChart::isDrawable)
                    .ifPresent(wall -> points.add(new Point(size, wall, Comparison.usable(cell).isPresent()))));
            }
            if (!points.isEmpty()) {
                series.add(new Series(Look.of(strategy), points));
            }
        }
    }

    private static boolean isDrawable(Estimate wall) {
        return wall.median() > 0 && Double.isFinite(wall.median());
    }

    /// Empty if nothing was measured.
    Optional<String> svg() {
        if (series.isEmpty()) {
            return Optional.empty();
        }
        Figure figure = new Figure("time-" + verdict.workload(), WIDTH, HEIGHT, verdict.workload().title() + ": time against size",
            "Median time of one operation for each size, one line for each strategy. " + verdict.advice()
                + " All numbers are in the table below.", 40, 106, 48, 60);
        Scale x = Scale.of(sizes.getFirst(), sizes.getLast(), figure.left + 10, figure.right - 10);
        List<Estimate> walls = series.stream().flatMap(each -> each.points().stream()).filter(Point::usable).map(Point::wall).toList();
        List<Estimate> all = series.stream().flatMap(each -> each.points().stream()).map(Point::wall).toList();
        double low = Math.min(walls.stream().mapToDouble(Estimate::low).filter(each -> each > 0).min().orElse(Double.MAX_VALUE),
            all.stream().mapToDouble(Estimate::median).min().orElseThrow());
        double high = Math.max(walls.stream().mapToDouble(Estimate::high).max().orElse(0),
            all.stream().mapToDouble(Estimate::median).max().orElseThrow());
        Scale y = Scale.of(low, high, figure.bottom, figure.top).withRoom(0.03);
        axes(figure, x, y);
        leaders(figure, x);
        series.forEach(each -> draw(figure, each, x, y));
        labels(figure, x, y);
        return Optional.of(figure.done());
    }

    private void axes(Figure figure, Scale x, Scale y) {
        for (double tick : y.ticks()) {
            figure.line("grid", figure.left, y.at(tick), figure.right, y.at(tick));
            figure.text("tick end", figure.left - 8, y.at(tick) + 4, Words.time(tick).replaceFirst("\\.0+ ", " "));
        }
        double right = Double.MAX_VALUE; // of what is named last
        for (long size : sizes.reversed()) {
            double at = x.at(size);
            boolean named = right - at >= NAME;
            right = named ? at : right;
            figure.line("axis", at, figure.bottom, at, figure.bottom + (named ? 6 : 3));
            if (named) {
                figure.text("tick middle", at, figure.bottom + 20, Words.size(size));
            }
        }
        figure.line("axis", figure.left, figure.bottom, figure.right, figure.bottom);
        figure.text("axis-title end", figure.right, figure.bottom + 40, "size of the data");
        figure.text("axis-title", 0, 12, "time of one operation");
    }

    /// Who leads where, above the plot, in stripes where several do, pale who is not told apart from the fastest. The lead changes in the middle between two sizes,
    /// since where exactly nobody has measured.
    private void leaders(Figure figure, Scale x) {
        double y = figure.top - 14;
        for (Span span : verdict.spans()) {
            int first = sizes.indexOf(span.rankings().getFirst().sizeBytes());
            int last = sizes.indexOf(span.rankings().getLast().sizeBytes());
            double from = first == 0 ? figure.left : (x.at(sizes.get(first - 1)) + x.at(sizes.get(first))) / 2;
            double to = last == sizes.size() - 1 ? figure.right : (x.at(sizes.get(last)) + x.at(sizes.get(last + 1))) / 2;
            double at = y;
            for (Strategy strategy : span.common()) {
                double height = BAR / span.common().size();
                figure.svg.empty("rect", "class",
                    (span.leaders().contains(strategy) ? "bar " : "bar undecided ") + Look.of(strategy).css(), "x", from + 1, "y", at, "width", to - from - 2, "height", height);
                at += height;
            }
            if (first > 0) {
                figure.line("crossover", from, y, from, figure.bottom);
            }
        }
    }

    private static void draw(Figure figure, Series series, Scale x, Scale y) {
        StringBuilder path = new StringBuilder();
        for (Point point : series.points()) {
            path.append(path.isEmpty() ? 'M' : 'L').append(Markup.number(x.at(point.sizeBytes()))).append(' ')
                .append(Markup.number(y.at(point.wall().median())));
        }
        figure.svg.open("g", "class", series.look().css());
        figure.svg.empty("path", "class", "line " + series.look().css(), "d", path, "stroke-dasharray", series.look().dash());
        for (Point point : series.points()) {
            double at = x.at(point.sizeBytes());
            if (point.usable() && point.wall().low() > 0) {
                figure.line("whisker " + series.look().css(), at, y.at(point.wall().low()), at, y.at(point.wall().high()));
            }
            figure.svg.open("g", "class", point.usable() ? "sure" : "unsure");
            series.look().mark(figure.svg, at, y.at(point.wall().median()), 4);
            figure.svg.close();
        }
        figure.svg.close();
    }

    /// Names at the right, beside the ends of the lines and joined to them.
    private void labels(Figure figure, Scale x, Scale y) {
        List<Series> byHeight = series.stream()
            .sorted(Comparator.comparingDouble((Series each) -> y.at(each.last().wall().median()))).toList();
        double[] at = Figure.spread(byHeight.stream().map(each -> y.at(each.last().wall().median())).toList(), figure.top, figure.bottom);
        for (int i = 0; i < at.length; i++) {
            Series each = byHeight.get(i);
            figure.line("leader", x.at(each.last().sizeBytes()) + 6, y.at(each.last().wall().median()), figure.right + 4, at[i]);
            each.look().mark(figure.svg, figure.right + 10, at[i], 4);
            figure.text("label", figure.right + 19, at[i] + 4, each.look().label());
        }
    }
}
