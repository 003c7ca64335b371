package io.github.hmm4j.demos.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads a SNAP edge list: `#` comments, then one directed edge a line, two vertex ids between blanks.
///
/// The ids may leave gaps; the vertices are those that occur. Edges are kept as listed: an undirected network lists
/// each of them both ways. SNAP files announce `# Nodes: N Edges: M`; a file that holds something else is read all
/// the same, with a warning, because people cut such files and keep their comments.
final class EdgeListReader {
    private static final Pattern ANNOUNCED = Pattern.compile("Nodes:\\s*(\\d{1,18})\\s+Edges:\\s*(\\d{1,18})");

    private EdgeListReader() {}

    static NamedGraph read(ByteScanner in) throws GraphFormatException {
        if (in.atEndOfFile()) {
            throw in.malformed("the file is empty");
        }
        long announcedNodes = -1;
        long announcedEdges = -1;
        EdgeList edges = new EdgeList();
        while (!in.atEndOfFile()) {
            in.skipBlanks();
            if (in.startsWith("#")) {
                Matcher comment = ANNOUNCED.matcher(in.restOfLine());
                if (comment.find()) {
                    announcedNodes = Long.parseLong(comment.group(1));
                    announcedEdges = Long.parseLong(comment.group(2));
                }
            } else if (!in.atEndOfLine()) {
                long source = in.number("source vertex");
                long target = in.number("target vertex");
                in.expectEndOfLine("two vertex ids");
                edges.add(source, target);
            }
            in.nextLine();
        }
        if (edges.size() == 0) {
            throw in.malformed("the file has no edges");
        }
        long[] ids = edges.compact();
        List<String> warnings = new ArrayList<>();
        if (announcedEdges >= 0 && (announcedNodes != ids.length || announcedEdges != edges.size())) {
            warnings.add(String.format(Locale.ROOT, "%s announces %d vertices and %d edges, but holds %d and %d",
                in.file(), announcedNodes, announcedEdges, ids.length, edges.size()));
        }
        CsrGraph graph = CsrGraph.of(ids.length, edges);
        return new NamedGraph(in.title(), graph, new NumberedVertices(ids), 0, warnings);
    }
}
