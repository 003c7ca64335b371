package io.github.hmm4j.demos.graph;

import java.util.List;
import java.util.Locale;
import java.util.Set;

/// Reads a Matrix Market coordinate file as a graph: entry (row, column) is an edge from row to column.
///
/// `%%MatrixMarket matrix coordinate pattern|real|integer general|symmetric`, `%` comments, the size line
/// `rows columns entries`, then the entries, 1-based. Every row is a vertex, also one without edges. A stored entry is
/// an edge whatever its value, an explicit zero too. Blank lines are skipped.
final class MatrixMarketReader {
    private static final Set<String> FIELDS = Set.of("pattern", "real", "integer");
    private static final Set<String> SYMMETRIES = Set.of("general", "symmetric");

    /// Every row costs memory, also one without entries: a size line alone may ask for as much as an array of these
    /// rows, and for more only with entries to show for it.
    private static final long ROWS_WITHOUT_ENTRIES = 1 << 24;
    private static final long ROWS_PER_ENTRY = 64;

    private MatrixMarketReader() {}

    private record Header(boolean hasValues, boolean symmetric) {}

    static NamedGraph read(ByteScanner in) throws GraphFormatException {
        Header header = header(in);
        in.nextLine();
        if (!in.nextDataLine('%')) {
            throw in.malformed("truncated: the size line 'rows columns entries' is missing");
        }
        long rows = in.number("number of rows");
        long columns = in.number("number of columns");
        long entries = in.number("number of entries");
        in.expectEndOfLine("'rows columns entries'");
        requireGraph(in, rows, columns, entries);
        in.nextLine();
        EdgeList edges = entries(in, header, rows, entries);
        CsrGraph graph = CsrGraph.of((int) rows, edges);
        return new NamedGraph(in.title(), graph, new RowNumbers((int) rows), 0, List.of());
    }

    private static Header header(ByteScanner in) throws GraphFormatException {
        String[] words = in.restOfLine().strip().toLowerCase(Locale.ROOT).split("\\s+", -1);
        if (words.length != 5) {
            throw in.malformed("bad header: expected '%%MatrixMarket matrix coordinate FIELD SYMMETRY'");
        }
        requireOneOf(in, "object", words[1], Set.of("matrix"));
        requireOneOf(in, "format", words[2], Set.of("coordinate"));
        requireOneOf(in, "field", words[3], FIELDS);
        requireOneOf(in, "symmetry", words[4], SYMMETRIES);
        return new Header(!words[3].equals("pattern"), words[4].equals("symmetric"));
    }

    private static void requireOneOf(ByteScanner in, String what, String word, Set<String> known)
        throws GraphFormatException {
        if (!known.contains(word)) {
            throw in.malformed("unsupported %s: '%s' (can be %s)"
                .formatted(what, word, String.join(", ", known.stream().sorted().toList())));
        }
    }

    private static void requireGraph(ByteScanner in, long rows, long columns, long entries) throws GraphFormatException {
        if (rows != columns) {
            throw in.malformed(String.format(Locale.ROOT, "a graph needs a square matrix: rows=%d, columns=%d",
                rows, columns));
        }
        if (rows == 0) {
            throw in.malformed("the matrix has no rows, so the graph has no vertices");
        }
        if (rows > Integer.MAX_VALUE - 1) {
            throw in.malformed(String.format(Locale.ROOT, "too many vertices: rows=%d, at most %d",
                rows, Integer.MAX_VALUE - 1));
        }
        if (rows > ROWS_WITHOUT_ENTRIES && rows / ROWS_PER_ENTRY > entries) {
            throw in.malformed(String.format(Locale.ROOT, "far more vertices than edges: rows=%d, entries=%d; above %d rows there must be an entry for every %d",
                rows, entries, ROWS_WITHOUT_ENTRIES, ROWS_PER_ENTRY));
        }
    }

    private static EdgeList entries(ByteScanner in, Header header, long rows, long entries)
        throws GraphFormatException {
        EdgeList edges = new EdgeList();
        for (long i = 0; i < entries; i++) {
            if (!in.nextDataLine('%')) {
                throw in.malformed(String.format(Locale.ROOT, "truncated: the size line announces %d entries, the file has %d",
                    entries, i));
            }
            long row = index(in, "row", rows);
            long column = index(in, "column", rows);
            if (header.hasValues()) {
                in.skipReal("value");
            }
            in.expectEndOfLine(header.hasValues() ? "'row column value'" : "'row column'");
            edges.add(row - 1, column - 1);
            if (header.symmetric() && row != column) {
                edges.add(column - 1, row - 1);
            }
            in.nextLine();
        }
        if (in.nextDataLine('%')) {
            throw in.malformed(String.format(Locale.ROOT, "too many entries: the size line announces %d", entries));
        }
        return edges;
    }

    private static long index(ByteScanner in, String what, long count) throws GraphFormatException {
        long index = in.number(what);
        if (index < 1 || index > count) {
            throw in.malformed(String.format(Locale.ROOT, "%s out of range: %d is not in 1 to %d", what, index, count));
        }
        return index;
    }
}
