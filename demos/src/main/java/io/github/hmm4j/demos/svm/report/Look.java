package io.github.hmm4j.demos.svm.report;

import io.github.hmm4j.demos.svm.Strategy;
import java.util.Locale;

/// How a strategy looks in every figure. Colour is never alone: each has a marker shape of its own, and within a family
/// lines differ by their dashes.
///
/// @param label a word for the end of a line
/// @param dash  `stroke-dasharray`
record Look(Strategy strategy, String label, Shape shape, String dash) {
    private static final String SOLID = "none";

    enum Shape { CIRCLE, SQUARE, DIAMOND, TRIANGLE, TRIANGLE_DOWN, HEXAGON, PLUS, BOW, STAR, PENTAGON, HOURGLASS, OCTAGON }

    static Look of(Strategy strategy) {
        return switch (strategy) {
            case COPIES_PAGEABLE -> new Look(strategy, "copies", Shape.CIRCLE, SOLID);
            case COPIES_PINNED -> new Look(strategy, "pinned", Shape.SQUARE, "7 3");
            case ZERO_COPY -> new Look(strategy, "zero-copy", Shape.DIAMOND, SOLID);
            case SVM_COARSE -> new Look(strategy, "coarse", Shape.TRIANGLE, "2 3");
            case SVM_FINE -> new Look(strategy, "fine", Shape.TRIANGLE_DOWN, SOLID);
            case SVM_ATOMICS -> new Look(strategy, "atomics", Shape.HEXAGON, "7 3");
            case SVM_SYSTEM -> new Look(strategy, "system", Shape.PLUS, "8 3 2 3");
            case HMM_CHECKED -> new Look(strategy, "checked", Shape.BOW, "7 3");
            case HMM_TRANSPARENT -> new Look(strategy, "transparent", Shape.STAR, SOLID);
            case HMM_PAGED -> new Look(strategy, "paged", Shape.PENTAGON, "2 3");
            case HMM_TRAP -> new Look(strategy, "trap", Shape.HOURGLASS, "8 3 2 3");
            case HMM_IN_PLACE -> new Look(strategy, "in place", Shape.OCTAGON, "10 2");
        };
    }

    /// The class that the style sheet gives its colour.
    String css() {
        return "s-" + strategy.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /// Draws its marker around a point.
    void mark(Markup svg, double x, double y, double radius) {
        svg.empty("path", "class", "mark " + css(), "d", path(x, y, radius));
    }

    /// A marker as a figure of its own, for running text and tables.
    String icon() {
        Markup svg = new Markup();
        svg.open("svg", "class", "icon", "viewBox", "0 0 30 14", "aria-hidden", "true");
        svg.empty("path", "class", "line " + css(), "d", "M1 7H29", "stroke-dasharray", dash);
        mark(svg, 15, 7, 5);
        return svg.close().done();
    }

    private String path(double x, double y, double r) {
        return switch (shape) {
            case CIRCLE -> "M%s %sa%s %s 0 1 0 %s 0a%s %s 0 1 0 %s 0z".formatted(n(x - r), n(y), n(r), n(r), n(2 * r), n(r), n(r), n(-2 * r));
            case SQUARE -> polygon(x, y, 4, 45, r * 1.2, r * 1.2);
            case DIAMOND -> polygon(x, y, 4, 0, r * 1.25, r * 1.25);
            case TRIANGLE -> polygon(x, y, 3, -90, r * 1.3, r * 1.3);
            case TRIANGLE_DOWN -> polygon(x, y, 3, 90, r * 1.3, r * 1.3);
            case HEXAGON -> polygon(x, y, 6, 0, r * 1.15, r * 1.15);
            case PLUS -> "M%s %sh%sv%sh%sv%sh%sv%sh%sv%sh%sv%sh%sz".formatted(n(x - r / 2.4), n(y - r * 1.2),
                n(r / 1.2), n(r * 1.2 - r / 2.4), n(r * 1.2 - r / 2.4), n(r / 1.2), n(r / 2.4 - r * 1.2), n(r * 1.2 - r / 2.4),
                n(-r / 1.2), n(r / 2.4 - r * 1.2), n(r / 2.4 - r * 1.2), n(-r / 1.2), n(r * 1.2 - r / 2.4));
            case BOW -> "M%s %sL%s %sV%sL%s %sz".formatted(n(x - r * 1.2), n(y - r), n(x + r * 1.2), n(y + r), n(y - r),
                n(x - r * 1.2), n(y + r));
            case PENTAGON -> polygon(x, y, 5, -90, r * 1.2, r * 1.2);
            case OCTAGON -> polygon(x, y, 8, 22.5, r * 1.15, r * 1.15);
            case HOURGLASS -> "M%s %sH%sL%s %sH%sz".formatted(n(x - r), n(y - r * 1.2), n(x + r), n(x - r), n(y + r * 1.2), n(x + r));
            case STAR -> polygon(x, y, 10, -90, r * 1.45, r * 0.62);
        };
    }

    private static String polygon(double x, double y, int corners, double degrees, double outer, double inner) {
        StringBuilder path = new StringBuilder();
        for (int i = 0; i < corners; i++) {
            double angle = Math.toRadians(degrees + 360.0 * i / corners);
            double radius = i % 2 == 0 ? outer : inner;
            path.append(i == 0 ? 'M' : 'L').append(n(x + radius * Math.cos(angle))).append(' ')
                .append(n(y + radius * Math.sin(angle)));
        }
        return path.append('z').toString();
    }

    private static String n(double number) {
        return Markup.number(number);
    }
}
