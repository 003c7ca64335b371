package io.github.hmm4j.demos.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongToIntFunction;

/// Edges in the order they were read, as pairs of longs; grows in chunks, so growing never copies what is there.
final class EdgeList {
    /// What is done with each edge.
    @FunctionalInterface
    interface EdgeVisitor {
        void edge(long source, long target);
    }

    private static final int CHUNK_EDGES = 1 << 16;

    private final List<long[]> chunks = new ArrayList<>();
    private long[] last = new long[0];
    private int lastUsed;
    private long size;
    private long maxId = -1;

    void add(long source, long target) {
        if (lastUsed == last.length) {
            last = new long[2 * CHUNK_EDGES];
            chunks.add(last);
            lastUsed = 0;
        }
        last[lastUsed++] = source;
        last[lastUsed++] = target;
        size++;
        maxId = Math.max(maxId, Math.max(source, target));
    }

    long size() {
        return size;
    }

    /// The largest id of any edge, -1 when there is none.
    long maxId() {
        return maxId;
    }

    void forEach(EdgeVisitor visitor) {
        for (int c = 0; c < chunks.size(); c++) {
            long[] chunk = chunks.get(c);
            int used = used(c);
            for (int i = 0; i < used; i += 2) {
                visitor.edge(chunk[i], chunk[i + 1]);
            }
        }
    }

    /// Replaces every id by its rank among the ids that occur, and returns those ids in ascending order.
    ///
    /// @throws ArithmeticException if more than an int's worth of vertices occur
    long[] compact() {
        // A table over all possible ids is quickest, and affordable unless the ids are very sparse.
        return maxId < Math.max(1 << 16, 4 * size) && maxId < Integer.MAX_VALUE - 8
            ? compactByTable(Math.toIntExact(maxId + 1))
            : compactBySorting();
    }

    private long[] compactByTable(int idBound) {
        int[] rank = new int[idBound];
        forEach((source, target) -> {
            rank[(int) source] = 1;
            rank[(int) target] = 1;
        });
        int count = 0;
        for (int occurs : rank) {
            count += occurs;
        }
        long[] ids = new long[count];
        int next = 0;
        for (int id = 0; id < idBound; id++) {
            if (rank[id] != 0) {
                ids[next] = id;
                rank[id] = next++;
            }
        }
        replaceIds(id -> rank[(int) id]);
        return ids;
    }

    private long[] compactBySorting() {
        long[] all = new long[Math.toIntExact(Math.multiplyExact(2, size))];
        int filled = 0;
        for (int c = 0; c < chunks.size(); c++) {
            long[] chunk = chunks.get(c);
            int used = used(c);
            System.arraycopy(chunk, 0, all, filled, used);
            filled += used;
        }
        Arrays.parallelSort(all);
        int count = 0;
        for (int i = 0; i < all.length; i++) {
            if (i == 0 || all[i] != all[i - 1]) {
                all[count++] = all[i];
            }
        }
        long[] ids = Arrays.copyOf(all, count);
        replaceIds(id -> Arrays.binarySearch(ids, id));
        return ids;
    }

    /// How many longs of that chunk are in use: all, except of the last one.
    private int used(int chunkIndex) {
        return chunkIndex == chunks.size() - 1 ? lastUsed : 2 * CHUNK_EDGES;
    }

    private void replaceIds(LongToIntFunction rank) {
        for (int c = 0; c < chunks.size(); c++) {
            long[] chunk = chunks.get(c);
            int used = used(c);
            for (int i = 0; i < used; i++) {
                chunk[i] = rank.applyAsInt(chunk[i]);
            }
        }
    }
}
