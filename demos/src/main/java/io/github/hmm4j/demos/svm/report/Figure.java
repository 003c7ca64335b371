package io.github.hmm4j.demos.svm.report;

import java.util.List;
import java.util.stream.IntStream;

/// What the charts have in common: a drawing area with room for labels, its text alternative, axes.
final class Figure {
    static final double WIDTH = 560;
    private static final double LABEL_HEIGHT = 15;

    final Markup svg = new Markup();
    final double left;
    final double right;
    final double top;
    final double bottom;

    /// @param id          unique in the page
    /// @param title       what is drawn
    /// @param description what it shows, for those who do not see it
    /// @param margins     top, right, bottom, left, in pixels
    Figure(String id, double height, String title, String description, double... margins) {
        top = margins[0];
        right = WIDTH - margins[1];
        bottom = height - margins[2];
        left = margins[3];
        begin(svg, id, "chart", WIDTH, height, title, description);
    }

    static void begin(Markup svg, String id, String css, double width, double height, String title, String description) {
        svg.open("svg", "class", css, "viewBox", "0 0 " + Markup.number(width) + " " + Markup.number(height), "role", "img",
            "aria-labelledby", id + "-title " + id + "-desc");
        svg.element("title", title, "id", id + "-title").element("desc", description, "id", id + "-desc");
    }

    String done() {
        return svg.close().done();
    }

    void text(String css, double x, double y, String text) {
        svg.element("text", text, "class", css, "x", x, "y", y);
    }

    void line(String css, double x1, double y1, double x2, double y2) {
        svg.empty("path", "class", css, "d", "M%s %sL%s %s".formatted(Markup.number(x1), Markup.number(y1), Markup.number(x2),
            Markup.number(y2)));
    }

    /// Moves labels that would cover each other apart, in their order.
    ///
    /// @param wanted where the middle of each would be, in ascending order
    static double[] spread(List<Double> wanted, double top, double bottom) {
        double[] at = wanted.stream().mapToDouble(Double::doubleValue).toArray();
        double step = Math.min(LABEL_HEIGHT, at.length < 2 ? LABEL_HEIGHT : (bottom - top) / (at.length - 1));
        IntStream.range(1, at.length).forEach(i -> at[i] = Math.max(at[i], at[i - 1] + step));
        for (int i = at.length - 1; i >= 0; i--) {
            double limit = i == at.length - 1 ? bottom : at[i + 1] - step;
            at[i] = Math.min(at[i], limit);
        }
        return at;
    }
}
