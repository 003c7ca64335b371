package io.github.hmm4j.demos.svm.report;

import io.github.hmm4j.demos.svm.Cell;
import io.github.hmm4j.demos.svm.Cell.Figures;
import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.verdict.Grid;
import io.github.hmm4j.demos.svm.verdict.Words;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What one operation copies to the device and to the host, beside the size of the data.
final class BytesChart {
    private static final double ROW = 24;
    private static final double HEAD = 26;
    private static final double WIDTH = 450;
    private static final double LABELS = 104;
    private static final double COLUMN = (WIDTH - LABELS) / 2;
    /// What is left beside `10.24 MiB, 16.0 %`.
    private static final double LONGEST_BAR = COLUMN - 126;

    private final Workload workload;
    private final long sizeBytes;
    private final List<Cell> cells;

    private BytesChart(Workload workload, long sizeBytes, List<Cell> cells) {
        this.workload = workload;
        this.sizeBytes = sizeBytes;
        this.cells = cells;
    }

    /// At the size that most strategies share; empty if nothing was measured.
    static Optional<BytesChart> of(Grid grid, Workload workload) {
        return grid.commonSize(workload).map(size -> new BytesChart(workload, size,
            grid.row(workload, size).stream().filter(cell -> cell.figures().isPresent()).toList()));
    }

    long sizeBytes() {
        return sizeBytes;
    }

    String svg() {
        double height = HEAD + ROW * cells.size() + 4;
        Figure figure = new Figure("bytes-" + workload, WIDTH, height, workload.title() + ": bytes copied by one operation",
            "At " + Words.size(sizeBytes) + ". " + description(), HEAD, 0, 4, LABELS);
        long most = Math.max(1, cells.stream().flatMap(cell -> cell.figures().stream())
            .mapToLong(each -> Math.max(each.bytesToDevice(), each.bytesToHost())).max().orElse(1));
        figure.text("axis-title", LABELS, 12, "to the device");
        figure.text("axis-title", LABELS + COLUMN, 12, "to the host");
        figure.line("axis", LABELS, HEAD - 4, LABELS, height);
        figure.line("axis", LABELS + COLUMN, HEAD - 4, LABELS + COLUMN, height);
        for (int i = 0; i < cells.size(); i++) {
            Look look = Look.of(cells.get(i).strategy());
            Figures figures = cells.get(i).figures().orElseThrow();
            double y = HEAD + ROW * i + ROW / 2;
            look.mark(figure.svg, 8, y, 4);
            figure.text("label", 20, y + 4, look.label());
            bar(figure, look, LABELS, y, figures.bytesToDevice(), most);
            bar(figure, look, LABELS + COLUMN, y, figures.bytesToHost(), most);
        }
        return figure.done();
    }

    private void bar(Figure figure, Look look, double x, double y, long bytes, long most) {
        double length = LONGEST_BAR * bytes / most;
        if (bytes > 0) {
            figure.svg.empty("rect", "class", "bar " + look.css(), "x", x, "y", y - 6, "width", Math.max(1.5, length), "height", 12.0);
        }
        figure.text(bytes > 0 ? "tick" : "tick none", x + length + 6, y + 4, value(bytes));
    }

    /// `64 MiB, 1.00x`: what part of the size it is.
    private String value(long bytes) {
        if (bytes == 0) {
            return "none";
        }
        double part = (double) bytes / sizeBytes;
        return Words.size(bytes) + ", " + (part >= 0.995 ? String.format(Locale.ROOT, "%.1f\u00d7", part)
            : part >= 0.001 ? String.format(Locale.ROOT, "%.1f %%", part * 100) : "< 0.1 %");
    }

    private String description() {
        StringBuilder text = new StringBuilder();
        for (Cell cell : cells) {
            cell.figures().ifPresent(figures -> text.append("%s: %s to the device, %s to the host. ".formatted(
                Words.name(cell.strategy()), value(figures.bytesToDevice()), value(figures.bytesToHost()))));
        }
        return text.toString().stripTrailing();
    }
}
