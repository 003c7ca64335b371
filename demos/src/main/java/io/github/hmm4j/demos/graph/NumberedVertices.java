package io.github.hmm4j.demos.graph;

import java.util.Arrays;
import java.util.Locale;
import java.util.OptionalInt;

/// Vertices called by the ids of an edge list, which may leave gaps.
final class NumberedVertices implements VertexNames {
    private final long[] ids;

    /// @param ids ascending, one for each vertex
    NumberedVertices(long[] ids) {
        this.ids = ids;
    }

    @Override
    public String name(int vertex) {
        return Long.toString(ids[vertex]);
    }

    @Override
    public OptionalInt vertex(String name) {
        try {
            int place = Arrays.binarySearch(ids, Long.parseLong(name.strip()));
            return place >= 0 ? OptionalInt.of(place) : OptionalInt.empty();
        } catch (NumberFormatException _) {
            return OptionalInt.empty();
        }
    }

    @Override
    public String describe() {
        return String.format(Locale.ROOT, "a vertex number of the file, which has %d of them from %d to %d",
            ids.length, ids[0], ids[ids.length - 1]);
    }
}
