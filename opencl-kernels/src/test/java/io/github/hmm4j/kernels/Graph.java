package io.github.hmm4j.kernels;

import java.util.Arrays;
import java.util.SplittableRandom;

/// A directed graph in compressed rows.
record Graph(long[] row, int[] col) {

    int size() {
        return row.length - 1;
    }

    /// The graph of the edges `from[i] -> to[i]`, loops and repeats kept.
    static Graph of(int n, int[] from, int[] to) {
        long[] row = new long[n + 1];
        for (int u : from) {
            row[u + 1]++;
        }
        Arrays.parallelPrefix(row, Long::sum);
        long[] next = row.clone();
        int[] col = new int[from.length];
        for (int e = 0; e < from.length; e++) {
            col[(int) next[from[e]]++] = to[e];
        }
        return new Graph(row, col);
    }

    static Graph random(int n, int edges, SplittableRandom random) {
        return of(n, random.ints(edges, 0, n).toArray(), random.ints(edges, 0, n).toArray());
    }

    /// 0 -> 1 -> 2 and so on: as many levels as there can be.
    static Graph path(int n) {
        int[] from = new int[n - 1];
        int[] to = new int[n - 1];
        Arrays.setAll(from, i -> i);
        Arrays.setAll(to, i -> i + 1);
        return of(n, from, to);
    }

    /// Vertices 1 .. n - 1 all point at 0 and 0 at them, twice: many finders of few vertices.
    static Graph star(int n) {
        int[] from = new int[4 * (n - 1)];
        int[] to = new int[4 * (n - 1)];
        for (int i = 0; i < from.length; i++) {
            int leaf = 1 + i / 4;
            from[i] = i % 2 == 0 ? 0 : leaf;
            to[i] = i % 2 == 0 ? leaf : 0;
        }
        return of(n, from, to);
    }
}
