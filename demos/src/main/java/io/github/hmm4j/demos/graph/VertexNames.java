package io.github.hmm4j.demos.graph;

import java.util.OptionalInt;

/// How the vertices of a graph are called where it came from.
public interface VertexNames {
    /// The name of `vertex`, which lies in `[0, vertexCount)`.
    String name(int vertex);

    /// The vertex of that name, empty when there is none.
    OptionalInt vertex(String name);

    /// What a name looks like here, for messages: `a vertex id of the file, 0 to 36691`.
    String describe();
}
