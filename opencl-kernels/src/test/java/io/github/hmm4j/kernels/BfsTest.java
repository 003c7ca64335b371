package io.github.hmm4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class BfsTest {

    private static final int LOCAL = 16;

    @Test
    void randomGraphsOfEveryDensity() {
        Seeded.run(random -> {
            try (ClHarness cl = ClHarness.openOrSkip()) {
                for (int i = 0; i < 20; i++) {
                    check(cl, random.nextInt(1, 2000), random.nextInt(0, 6000), random);
                }
            }
        });
    }

    @Test
    void aPathHasOneVertexPerLevel() {
        checkBoth(Graph.path(200), 0);
        checkBoth(Graph.path(200), 150);
    }

    @Test
    void aStarFindsItsCentreFromEverySide() {
        checkBoth(Graph.star(1000), 0);
        checkBoth(Graph.star(1000), 999);
    }

    @Test
    void oneVertexWithALoopIsReachedOnce() {
        checkBoth(Graph.of(1, new int[] {0, 0}, new int[] {0, 0}), 0);
    }

    @Test
    void aSourceWithoutEdgesReachesOnlyItself() {
        checkBoth(Graph.of(40, new int[] {1}, new int[] {2}), 7);
    }

    private static void checkBoth(Graph graph, int source) {
        try (ClHarness cl = ClHarness.openOrSkip()) {
            checkBoth(cl, graph, source);
        }
    }

    static void check(ClHarness cl, int n, int edges, SplittableRandom random) {
        checkBoth(cl, Graph.random(n, edges, random), random.nextInt(n));
    }

    static void checkBoth(ClHarness cl, Graph graph, int source) {
        int[] expected = BfsOracle.depths(graph, source);
        assertThat(byLevels(cl, graph, source)).as("bfs_level").isEqualTo(expected);
        assertThat(byFrontiers(cl, graph, source)).as("bfs_frontier").isEqualTo(expected);
    }

    private static int[] byLevels(ClHarness cl, Graph graph, int source) {
        ClHarness.Buffer depth = start(cl, graph.size(), source);
        ClHarness.Buffer changed = cl.ints(1);
        ClHarness.Kernel kernel = cl.build(Source.resource("bfs.cl")).kernel("bfs_level");
        ClHarness.Buffer row = cl.longs(graph.row());
        ClHarness.Buffer col = cl.ints(graph.col());
        for (int level = 0; changed.toInts()[0] != 0; level++) {
            assertThat(level).as("levels").isLessThanOrEqualTo(graph.size());
            clear(changed);
            kernel.args(row, col, depth, changed, level, graph.size()).runOver(graph.size(), LOCAL);
        }
        return depth.toInts();
    }

    private static int[] byFrontiers(ClHarness cl, Graph graph, int source) {
        int n = graph.size();
        ClHarness.Buffer depth = start(cl, n, source);
        ClHarness.Buffer frontier = cl.buffer(4L * n);
        ClHarness.Buffer next = cl.buffer(4L * n);
        ClHarness.Buffer nextSize = cl.ints(0);
        ClHarness.Kernel kernel = cl.build(Source.resource("bfs.cl")).kernel("bfs_frontier");
        ClHarness.Buffer row = cl.longs(graph.row());
        ClHarness.Buffer col = cl.ints(graph.col());
        frontier.write(MemorySegment.ofArray(new int[] {source}));
        int queued = 0;
        int size = 1;
        for (int level = 0; size != 0; level++) {
            queued += size;
            clear(nextSize);
            kernel.args(row, col, depth, frontier, size, next, nextSize, level).runOver(size, LOCAL);
            size = nextSize.toInts()[0];
            ClHarness.Buffer swap = frontier;
            frontier = next;
            next = swap;
        }
        int[] depths = depth.toInts();
        assertThat(queued).as("every reached vertex is queued once")
                .isEqualTo((int) Arrays.stream(depths).filter(d -> d >= 0).count());
        return depths;
    }

    private static void clear(ClHarness.Buffer one) {
        one.write(MemorySegment.ofArray(new int[] {0}));
    }

    private static ClHarness.Buffer start(ClHarness cl, int n, int source) {
        int[] depth = new int[n];
        Arrays.fill(depth, -1);
        depth[source] = 0;
        return cl.ints(depth);
    }
}
