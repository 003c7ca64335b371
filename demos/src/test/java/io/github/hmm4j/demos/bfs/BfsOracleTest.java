package io.github.hmm4j.demos.bfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.demos.graph.CsrGraph;
import io.github.hmm4j.demos.graph.GraphFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BfsOracleTest {
    @TempDir
    Path folder;

    @Test
    void followsEdgesForwardOnly() throws IOException {
        BfsLevels levels = BfsOracle.search(matrix(5, "1 2\n2 3\n1 3\n5 1\n"), 0);
        assertThat(levels).hasToString("reached=3 of=5 depth=1");
        assertThat(levels.depthOf(2)).isEqualTo(1);
        assertThat(levels.depthOf(3)).isEqualTo(BfsLevels.UNREACHED);
        assertThat(levels.depthOf(4)).isEqualTo(BfsLevels.UNREACHED);
    }

    @Test
    void reachesOnlyTheSourceWhenItHasNoSuccessors() throws IOException {
        assertThat(BfsOracle.search(matrix(2, "1 2\n"), 1)).hasToString("reached=1 of=2 depth=0");
    }

    @Test
    void walksALongChain() throws IOException {
        StringBuilder chain = new StringBuilder();
        for (int v = 1; v < 1000; v++) {
            chain.append(v).append(' ').append(v + 1).append('\n');
        }
        assertThat(BfsOracle.search(matrix(1000, chain.toString()), 0)).hasToString("reached=1000 of=1000 depth=999");
    }

    @Test
    void refusesASourceOutsideTheGraph() throws IOException {
        CsrGraph graph = matrix(2, "1 2\n");
        assertThatThrownBy(() -> BfsOracle.search(graph, 2)).isInstanceOf(IllegalArgumentException.class)
            .hasMessage("source=2, vertexCount=2");
        assertThatThrownBy(() -> BfsOracle.search(graph, -1)).hasMessageContaining("source=-1");
    }

    @Test
    void agreesWithRepeatedRelaxationOnRandomGraphs() throws IOException {
        for (long seed = 0; seed < 30; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int vertices = 50;
            int edges = random.nextInt(20, 150);
            int[][] pairs = new int[edges][];
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < edges; i++) {
                pairs[i] = new int[] {random.nextInt(vertices), random.nextInt(vertices)};
                text.append(pairs[i][0] + 1).append(' ').append(pairs[i][1] + 1).append('\n');
            }
            int[] expected = relax(vertices, pairs);
            BfsLevels actual = BfsOracle.search(matrix(vertices, text.toString()), 0);
            assertThat(actual.firstDifference(BfsLevels.of(expected))).as("seed=%d", seed).isEqualTo(-1);
        }
    }

    private static int[] relax(int vertices, int[][] pairs) {
        int far = vertices + 1;
        int[] distance = new int[vertices];
        Arrays.fill(distance, far);
        distance[0] = 0;
        for (int round = 0; round < vertices; round++) {
            for (int[] pair : pairs) {
                distance[pair[1]] = Math.min(distance[pair[1]], distance[pair[0]] + 1);
            }
        }
        return Arrays.stream(distance).map(d -> d >= far ? BfsLevels.UNREACHED : d).toArray();
    }

    private CsrGraph matrix(int vertices, String entries) throws IOException {
        String size = "%d %d %d\n".formatted(vertices, vertices, entries.lines().count());
        String text = "%%MatrixMarket matrix coordinate pattern general\n" + size + entries;
        return GraphFile.read(Files.writeString(folder.resolve("graph.mtx"), text)).graph();
    }
}
