// bfs.cl - breadth-first search over a graph in compressed rows, one launch per level.
// In: row[n + 1] and col[row[n]]: the neighbours of u are col[row[u] .. row[u + 1]), all in 0 .. n - 1; 64-bit rows, so
//     the edges may exceed 2^31. The host starts with depth[] = -1 and depth[source] = 0, and level = 0.
// Out: depth[n], steps from the source, -1 = not reached.
// Needs: OpenCL C 1.2 (32-bit global atomics).   Oracle: BfsOracle.java
//
// Two forms of one level, same result:
//   bfs_level     looks at every vertex; simple, and n work-items per level whatever the level holds.
//                 Grid: one work-item per vertex, rounded up as you like.  Moves: 4 * n bytes and the level's edges.
//                 The host clears *changed before each level and stops when a level leaves it 0.
//   bfs_frontier  looks at the vertices of the level only; the work of all levels together is one pass over the edges.
//                 Grid: one work-item per vertex of frontier, rounded up.    Moves: the level's edges.
//                 The host starts with frontier = {source}, clears *next_size before each level, then swaps the two
//                 queues (n entries each) and stops when *next_size is 0. The order in next differs from run to run.
//
// Races: several work-items may find one vertex at the same level. Every access to depth is atomic, so there is no data
// race: one compare-and-swap wins, and all of them would write the same number. Inside a level only -1 -> level + 1
// happens, and a work-item acts on vertices that are at `level` since the launch before.

kernel void bfs_level(global const long *row, global const int *col, global int *depth, global int *changed,
                      const int level, const int n) {
    const size_t u = get_global_id(0);
    if (u >= (size_t)n || atomic_or(&depth[u], 0) != level) {      // or with 0: an atomic read
        return;
    }
    const long end = row[u + 1];
    bool found = false;
    for (long e = row[u]; e < end; e++) {
        found |= atomic_cmpxchg(&depth[col[e]], -1, level + 1) == -1;
    }
    if (found) {
        atomic_or(changed, 1);
    }
}

kernel void bfs_frontier(global const long *row, global const int *col, global int *depth, global const int *frontier,
                         const int frontier_size, global int *next, global int *next_size, const int level) {
    const size_t i = get_global_id(0);
    if (i >= (size_t)frontier_size) {
        return;
    }
    const int u = frontier[i];
    const long end = row[u + 1];
    for (long e = row[u]; e < end; e++) {
        const int v = col[e];
        if (atomic_cmpxchg(&depth[v], -1, level + 1) == -1) {      // exactly one work-item wins v, so v is queued once
            next[atomic_inc(next_size)] = v;
        }
    }
}
