package io.github.hmm4j.kernels;

import java.util.ArrayDeque;
import java.util.Arrays;

/// Breadth-first search with one queue and one thread.
final class BfsOracle {

    private BfsOracle() {}

    static int[] depths(Graph graph, int source) {
        int[] depth = new int[graph.size()];
        Arrays.fill(depth, -1);
        depth[source] = 0;
        var queue = new ArrayDeque<Integer>();
        queue.add(source);
        while (!queue.isEmpty()) {
            int u = queue.remove();
            for (long e = graph.row()[u]; e < graph.row()[u + 1]; e++) {
                int v = graph.col()[(int) e];
                if (depth[v] < 0) {
                    depth[v] = depth[u] + 1;
                    queue.add(v);
                }
            }
        }
        return depth;
    }
}
