package io.github.hmm4j.demos.graph;

import java.util.List;

/// A graph and what is known about where it came from.
///
/// @param title where it came from, for people: a file name or `classes of JDK 25.0.3`
/// @param defaultSource the vertex that a search starts from when nobody says which
/// @param warnings what looked odd in the input but does not make it wrong, one sentence each
public record NamedGraph(String title, CsrGraph graph, VertexNames names, int defaultSource,
    List<String> warnings) {
    public NamedGraph {
        warnings = List.copyOf(warnings);
    }
}
