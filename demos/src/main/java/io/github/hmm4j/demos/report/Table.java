package io.github.hmm4j.demos.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/// A plain table of aligned text: two spaces between columns, no boxes, one rule under the titles.
///
/// A column whose cells all begin like a number is aligned to the right, the others to the left. Cells are shown as
/// they are; what a number looks like is decided by [Units].
public final class Table {
    private static final Pattern NUMBER = Pattern.compile("[-+<>=]{0,2} ?\\d.*|-|NaN|");

    private final List<String> titles;
    private final List<List<String>> rows = new ArrayList<>();

    public Table(String... titles) {
        this.titles = List.of(titles);
    }

    /// Adds one row; each cell is shown by its `toString`.
    ///
    /// @throws IllegalArgumentException if there are not as many cells as titles
    public Table row(Object... cells) {
        if (cells.length != titles.size()) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "cells=%d, titles=%d",
                cells.length, titles.size()));
        }
        List<String> row = new ArrayList<>(cells.length);
        for (Object cell : cells) {
            row.add(String.valueOf(cell));
        }
        rows.add(row);
        return this;
    }

    /// All lines, each ended by a line feed; no blanks at the end of a line.
    @Override
    public String toString() {
        int[] widths = new int[titles.size()];
        boolean[] right = new boolean[titles.size()];
        for (int column = 0; column < widths.length; column++) {
            int at = column;
            int widestCell = rows.stream().mapToInt(row -> width(row.get(at))).max().orElse(0);
            widths[at] = Math.max(width(titles.get(at)), widestCell);
            right[at] = !rows.isEmpty() && rows.stream().allMatch(row -> NUMBER.matcher(row.get(at)).matches());
        }
        StringBuilder text = new StringBuilder();
        appendLine(text, titles, widths, right);
        List<String> rule = new ArrayList<>();
        for (int width : widths) {
            rule.add("-".repeat(width));
        }
        appendLine(text, rule, widths, right);
        for (List<String> row : rows) {
            appendLine(text, row, widths, right);
        }
        return text.toString();
    }

    private static void appendLine(StringBuilder text, List<String> cells, int[] widths, boolean[] right) {
        StringBuilder line = new StringBuilder();
        for (int column = 0; column < widths.length; column++) {
            String cell = cells.get(column);
            String padding = " ".repeat(widths[column] - width(cell));
            line.append(column == 0 ? "" : "  ").append(right[column] ? padding + cell : cell + padding);
        }
        text.append(line.toString().stripTrailing()).append('\n');
    }

    private static int width(String cell) {
        return cell.codePointCount(0, cell.length());
    }
}
