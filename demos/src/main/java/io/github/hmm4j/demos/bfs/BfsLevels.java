package io.github.hmm4j.demos.bfs;

import java.util.Arrays;
import java.util.Locale;

/// The outcome of a breadth-first search: the depth of every vertex, and what was reached.
public final class BfsLevels {
    /// The depth of a vertex that no path leads to.
    public static final int UNREACHED = -1;

    private final int[] depths;
    private final int reached;
    private final int depth;

    private BfsLevels(int[] depths, int reached, int depth) {
        this.depths = depths;
        this.reached = reached;
        this.depth = depth;
    }

    /// Counts what is reached. Owns `depths` from now on: one distance from the source, in edges, for each vertex.
    public static BfsLevels of(int[] depths) {
        int reached = 0;
        int deepest = 0;
        for (int depth : depths) {
            if (depth != UNREACHED) {
                reached++;
                deepest = Math.max(deepest, depth);
            }
        }
        return new BfsLevels(depths, reached, deepest);
    }

    /// The distance of `vertex` from the source, or [#UNREACHED].
    public int depthOf(int vertex) {
        return depths[vertex];
    }

    /// How many vertices have a distance, the source among them.
    public int reached() {
        return reached;
    }

    /// How many vertices the graph has.
    public int of() {
        return depths.length;
    }

    /// The largest distance.
    public int depth() {
        return depth;
    }

    /// The first vertex on which `other` disagrees, -1 if there is none and both have as many vertices.
    public int firstDifference(BfsLevels other) {
        return Arrays.mismatch(depths, other.depths);
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "reached=%d of=%d depth=%d", reached, of(), depth);
    }
}
