package io.github.hmm4j.demos.bfs;

import io.github.hmm4j.demos.graph.CsrGraph;
import java.util.Arrays;
import java.util.Locale;

/// Breadth-first search in plain Java with a queue: what every other search of this package is checked against.
public final class BfsOracle {
    private BfsOracle() {}

    /// Searches from `source`, one thread.
    ///
    /// @throws IllegalArgumentException if `source` is no vertex of the graph
    public static BfsLevels search(CsrGraph graph, int source) {
        int vertexCount = graph.vertexCount();
        if (source < 0 || source >= vertexCount) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "source=%d, vertexCount=%d",
                source, vertexCount));
        }
        int[] depth = new int[vertexCount];
        Arrays.fill(depth, BfsLevels.UNREACHED);
        int[] queue = new int[vertexCount];
        int head = 0;
        int tail = 0;
        queue[tail++] = source;
        depth[source] = 0;
        while (head < tail) {
            int vertex = queue[head++];
            long end = graph.rowEnd(vertex);
            for (long edge = graph.rowStart(vertex); edge < end; edge++) {
                int target = graph.target(edge);
                if (depth[target] == BfsLevels.UNREACHED) {
                    depth[target] = depth[vertex] + 1;
                    queue[tail++] = target;
                }
            }
        }
        return BfsLevels.of(depth);
    }
}
