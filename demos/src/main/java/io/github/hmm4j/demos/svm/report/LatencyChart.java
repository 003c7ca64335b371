package io.github.hmm4j.demos.svm.report;

import io.github.hmm4j.demos.svm.Cell.Figures;
import io.github.hmm4j.demos.svm.Latencies;
import io.github.hmm4j.demos.svm.Latencies.Bucket;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.verdict.Grid;
import io.github.hmm4j.demos.svm.verdict.Words;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// How long single operations took: which part of them took longer than the time below, both logarithmic, so that the
/// slowest in a thousand are seen as well as the median.
final class LatencyChart {
    private static final double WIDTH = 430;
    private static final double HEIGHT = 300;
    private static final double RAREST = 1e-5;
    private static final int LEGEND_COLUMNS = 3;
    /// A list, since what is drawn in the order of a map without one differs from run to run.
    private static final List<Part> PARTS = List.of(new Part(0.5, "p50"), new Part(0.1, "p90"), new Part(0.01, "p99"),
        new Part(0.001, "p99.9"), new Part(0.0001, "p99.99"));

    private final Workload workload;
    private final long sizeBytes;
    private final Map<Strategy, Latencies> latencies;

    private LatencyChart(Workload workload, long sizeBytes, Map<Strategy, Latencies> latencies) {
        this.workload = workload;
        this.sizeBytes = sizeBytes;
        this.latencies = latencies;
    }

    /// At the largest of the sizes at which the most strategies have latencies; empty if none has.
    static Optional<LatencyChart> of(Grid grid, Workload workload) {
        Optional<LatencyChart> chart = Optional.empty();
        int most = 0;
        for (long size : grid.sizes(workload)) {
            Map<Strategy, Latencies> found = new EnumMap<>(Strategy.class);
            for (Strategy strategy : grid.strategies()) {
                grid.cell(workload, size, strategy).flatMap(cell -> cell.figures()).flatMap(Figures::latencies)
                    .filter(each -> each.operations() > 0 && !each.buckets().isEmpty() && each.buckets().getLast().upToNanos() > 0)
                    .ifPresent(each -> found.put(strategy, each));
            }
            if (!found.isEmpty() && found.size() >= most) {
                most = found.size();
                chart = Optional.of(new LatencyChart(workload, size, found));
            }
        }
        return chart;
    }

    long sizeBytes() {
        return sizeBytes;
    }

    String svg() {
        int legendRows = (latencies.size() + LEGEND_COLUMNS - 1) / LEGEND_COLUMNS;
        Figure figure = new Figure("latency-" + workload, WIDTH, HEIGHT + 10 + legendRows * 18, workload.title() + ": latencies of single operations",
            description(), 36 + legendRows * 18, 24, 48, 62);
        double low = latencies.values().stream().mapToDouble(each -> Math.max(1, each.buckets().getFirst().upToNanos())).min().orElseThrow();
        double high = latencies.values().stream().mapToDouble(each -> each.buckets().getLast().upToNanos()).max().orElseThrow();
        Scale x = Scale.of(low, Math.max(low, high), figure.left, figure.right).withRoom(0.03);
        double rarest = latencies.values().stream().mapToDouble(each -> 0.9 / each.operations()).min().orElseThrow();
        Scale y = Scale.of(Math.clamp(rarest, RAREST, 0.05), 1, figure.bottom, figure.top);
        axes(figure, x, y);
        latencies.forEach((strategy, each) -> draw(figure, Look.of(strategy), each, x, y));
        legend(figure);
        return figure.done();
    }

    private String description() {
        StringBuilder text = new StringBuilder("Which part of the operations took longer, at " + Words.size(sizeBytes) + ".");
        latencies.forEach((strategy, each) -> text.append(" %s: half took more than %s, one in a hundred more than %s, one in a thousand more than %s."
            .formatted(Words.name(strategy), Words.time(each.p50()), Words.time(each.p99()), Words.time(each.p999()))));
        return text.toString();
    }

    /// A part of all operations that took longer than what is called `name`.
    private record Part(double longer, String name) {}

    private static void axes(Figure figure, Scale x, Scale y) {
        for (Part part : PARTS) {
            if (part.longer() >= y.low()) {
                double at = y.at(part.longer());
                figure.line("grid", figure.left, at, figure.right, at);
                figure.text("tick end", figure.left - 8, at + 4, part.name());
            }
        }
        for (double tick : x.ticks()) {
            figure.line("axis", x.at(tick), figure.bottom, x.at(tick), figure.bottom + 6);
            figure.text("tick middle", x.at(tick), figure.bottom + 20, Words.time(tick).replaceFirst("\\.0+ ", " "));
        }
        figure.line("axis", figure.left, figure.bottom, figure.right, figure.bottom);
        figure.text("axis-title end", figure.right, figure.bottom + 40, "time of one operation");
        figure.text("axis-title", 0, figure.top - 14, "not exceeded by this part of all");
    }

    /// A staircase: at each bucket's end it falls to the part that took longer.
    private static void draw(Figure figure, Look look, Latencies latencies, Scale x, Scale y) {
        long total = latencies.buckets().stream().mapToLong(Bucket::count).sum();
        StringBuilder path = new StringBuilder();
        long counted = 0;
        for (Bucket bucket : latencies.buckets()) {
            double at = x.at(Math.max(1, bucket.upToNanos()));
            path.append(path.isEmpty() ? "M" + Markup.number(at) + " " + Markup.number(y.at(1.0)) : "H" + Markup.number(at));
            counted += bucket.count();
            path.append("V").append(Markup.number(y.at(Math.max((double) (total - counted) / total, y.low()))));
        }
        figure.svg.empty("path", "class", "line " + look.css(), "d", path, "stroke-dasharray", look.dash());
        mark(figure, look, x, y, 0.5, latencies.p50(), total);
        mark(figure, look, x, y, 0.01, latencies.p99(), total);
        mark(figure, look, x, y, 0.001, latencies.p999(), total);
    }

    private static void mark(Figure figure, Look look, Scale x, Scale y, double longer, long nanos, long total) {
        if (longer >= y.low() && longer * total >= 1) {
            look.mark(figure.svg, x.at(Math.max(1, nanos)), y.at(longer), 4);
        }
    }

    private void legend(Figure figure) {
        List<Strategy> all = List.copyOf(latencies.keySet());
        for (int i = 0; i < all.size(); i++) {
            Look look = Look.of(all.get(i));
            double x = 8 + (double) (i % LEGEND_COLUMNS) * (WIDTH - 16) / LEGEND_COLUMNS;
            int row = i / LEGEND_COLUMNS;
            double y = 9 + row * 18.0;
            figure.svg.empty("path", "class", "line " + look.css(), "d", "M%s %sh26".formatted(Markup.number(x), Markup.number(y)),
                "stroke-dasharray", look.dash());
            look.mark(figure.svg, x + 13, y, 4);
            figure.text("label", x + 32, y + 4, look.label());
        }
    }
}
