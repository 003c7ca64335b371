package io.github.hmm4j.demos.graph;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A directed graph as compressed sparse rows.
///
/// The successors of vertex `v` are `columns[rowOffsets[v] .. rowOffsets[v + 1])`. Offsets are 64 bits, so the number
/// of edges is not limited to an int; both arrays are off-heap in the layout a kernel reads and can be copied as they
/// are.
///
/// Threads: immutable once built; any thread may read. Owns: its two segments, freed by the garbage collector.
public final class CsrGraph {
    private final int vertexCount;
    private final long edgeCount;
    private final MemorySegment rowOffsets;
    private final MemorySegment columns;

    CsrGraph(int vertexCount, MemorySegment rowOffsets, MemorySegment columns) {
        this.vertexCount = vertexCount;
        this.edgeCount = columns.byteSize() / Integer.BYTES;
        this.rowOffsets = rowOffsets.asReadOnly();
        this.columns = columns.asReadOnly();
    }

    /// Sorts `edges` by source with one counting pass; the successors of a vertex keep the order they were added in.
    static CsrGraph of(int vertexCount, EdgeList edges) {
        Arena arena = Arena.ofAuto();
        MemorySegment offsets = arena.allocate(JAVA_LONG, vertexCount + 1L);
        edges.forEach((source, _) -> offsets.setAtIndex(JAVA_LONG, source, offsets.getAtIndex(JAVA_LONG, source) + 1));
        long sum = 0;
        for (long v = 0; v <= vertexCount; v++) {
            long degree = offsets.getAtIndex(JAVA_LONG, v);
            offsets.setAtIndex(JAVA_LONG, v, sum);
            sum += degree;
        }
        MemorySegment columns = arena.allocate(JAVA_INT, edges.size());
        // While filling, offsets[v] is the next free place of row v; it ends one row too far on, so it is shifted back.
        edges.forEach((source, target) -> {
            long place = offsets.getAtIndex(JAVA_LONG, source);
            columns.setAtIndex(JAVA_INT, place, (int) target);
            offsets.setAtIndex(JAVA_LONG, source, place + 1);
        });
        MemorySegment.copy(offsets, 0, offsets, Long.BYTES, (long) vertexCount * Long.BYTES);
        offsets.setAtIndex(JAVA_LONG, 0, 0);
        return new CsrGraph(vertexCount, offsets, columns);
    }

    public int vertexCount() {
        return vertexCount;
    }

    public long edgeCount() {
        return edgeCount;
    }

    /// `vertexCount + 1` longs, ascending, from 0 to `edgeCount`. Read-only.
    public MemorySegment rowOffsets() {
        return rowOffsets;
    }

    /// `edgeCount` ints, each a vertex. Read-only.
    public MemorySegment columns() {
        return columns;
    }

    public long rowStart(int vertex) {
        return rowOffsets.getAtIndex(JAVA_LONG, vertex);
    }

    public long rowEnd(int vertex) {
        return rowOffsets.getAtIndex(JAVA_LONG, vertex + 1L);
    }

    public int target(long edge) {
        return columns.getAtIndex(JAVA_INT, edge);
    }
}
