package io.github.hmm4j.demos.graph;

import java.util.OptionalInt;

/// Vertices called by the rows of a matrix, which count from 1.
///
/// @param count of vertices, at least 1
record RowNumbers(int count) implements VertexNames {
    @Override
    public String name(int vertex) {
        return Integer.toString(vertex + 1);
    }

    @Override
    public OptionalInt vertex(String name) {
        try {
            int row = Integer.parseInt(name.strip());
            return row >= 1 && row <= count ? OptionalInt.of(row - 1) : OptionalInt.empty();
        } catch (NumberFormatException _) {
            return OptionalInt.empty();
        }
    }

    @Override
    public String describe() {
        return "a row of the matrix, 1 to " + count;
    }
}
