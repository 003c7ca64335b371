package io.github.hmm4j.demos.bfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.demos.DemoRunner;
import io.github.hmm4j.demos.DemoRunner.Outcome;
import io.github.hmm4j.demos.device.WrongKernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BfsDemoTest {
    /// 10 -> 20 -> 30 -> 40 -> 10, 20 -> 50; nothing leads to 60.
    private static final String EDGES =
        "# a ring and a branch\r\n10\t20\r\n20\t30\r\n30\t40\r\n40\t10\r\n20\t50\r\n60\t10\r\n";

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {DemoRunner.LWJGL, DemoRunner.JOCL})
    void searchesAGraphFile(String variant) throws IOException {
        Outcome outcome = DemoRunner.run(new BfsDemo(), variant, folder, "--graph", file(EDGES));

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
        assertThat(outcome.json()).contains("\"ok\": true",
            "\"edges\": 6, \"source\": \"10\", \"reached\": 5, \"of\": 6, \"depth\": 3");
        assertThat(outcome.out()).contains("reached 5 of 6 vertices, depth 3, every depth right");
    }

    @Test
    void searchesFromAnotherVertexInABudgetSmallerThanTheHeap() throws IOException {
        Outcome outcome = DemoRunner.run(new BfsDemo(), DemoRunner.LWJGL, folder, "--graph", file(EDGES), "--source", "60",
            "--budget", "1M", "--page-size", "4K");

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
        assertThat(outcome.json()).contains("\"source\": \"60\", \"reached\": 6, \"of\": 6, \"depth\": 4");
    }

    @ParameterizedTest
    @ValueSource(strings = {DemoRunner.LWJGL, DemoRunner.JOCL})
    void searchesAGraphThatTheDeviceCannotHold(String variant) throws IOException {
        StringBuilder edges = new StringBuilder();
        for (int i = 0; i < 100_000; i++) {
            edges.append(i % 5000).append(' ').append((i * 31L + i / 5000 * 7) % 5000).append('\n');
        }
        Outcome outcome = DemoRunner.run(new BfsDemo(), variant, folder, "--graph", file(edges.toString()), "--paged");

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
        assertThat(outcome.json()).contains("\"ok\": true", "\"budgetBytes\"", "\"leastBytesToDevice\"");
        assertThat(outcome.out()).contains("every depth right", "each byte of it and of the depths once");
        assertThat(outcome.out()).contains("DEVICE_FAULT");
    }

    /// A star, which is the worst for blocks: all edges are one vertex's.
    @Test
    void saysWhatTheLeastBudgetIs() throws IOException {
        StringBuilder edges = new StringBuilder();
        for (int i = 1; i <= 1000; i++) {
            edges.append("0 ").append(i).append('\n');
        }
        String star = file(edges.toString());
        long least = 4 * 1001 + 4 + 8 * 2 + 4 * 1000;
        Outcome outcome = DemoRunner.run(new BfsDemo(), DemoRunner.LWJGL, folder, "--graph", star, "--paged", "--budget", Long.toString(least - 1));

        assertThat(outcome.exitCode()).as(outcome.toString()).isEqualTo(2);
        assertThat(outcome.toString()).contains("--budget: the explicit program needs at least " + least + " bytes", "not " + (least - 1));
    }

    @Test
    void searchesAGraphWithoutEdges() throws IOException {
        String none = "%%MatrixMarket matrix coordinate pattern general\n3 3 0\n";
        Outcome outcome = DemoRunner.run(new BfsDemo(), DemoRunner.LWJGL, folder, "--graph", file(none));

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
        assertThat(outcome.json()).contains("\"reached\": 1, \"of\": 3, \"depth\": 0");
    }

    @Test
    void takesTheClassesOfTheJdkWithoutAFile() {
        Outcome outcome = DemoRunner.run(new BfsDemo(), DemoRunner.LWJGL, folder, "--source", "java.lang.String");

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
        assertThat(outcome.json()).contains("\"source\": \"java.lang.String\"");
    }

    @Test
    void saysFileLineAndReasonOfAMalformedGraph() throws IOException {
        Outcome outcome = DemoRunner.run(new BfsDemo(), DemoRunner.LWJGL, folder, "--graph", file("1 2\n2 x\n"));

        assertThat(outcome.exitCode()).isEqualTo(1);
        assertThat(outcome.err()).contains("graph.txt:2: ").doesNotContain("\tat ");
        assertThat(outcome.json()).contains("\"ok\": false", "graph.txt:2: ");
    }

    @Test
    void refusesAFileThatIsNotThere() {
        Outcome outcome = DemoRunner.run(new BfsDemo(), DemoRunner.LWJGL, folder, "--graph", "no/such.txt");

        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.err()).contains("--graph", "no/such.txt");
    }

    @Test
    void refusesAVertexThatIsNotThere() throws IOException {
        Outcome outcome = DemoRunner.run(new BfsDemo(), DemoRunner.LWJGL, folder, "--graph", file(EDGES), "--source",
            "70");

        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.err()).contains("--source", "'70'", "from 10 to 60");
    }

    @Test
    void findsOutAWrongKernel() throws IOException {
        BfsDemo wrong = new BfsDemo(WrongKernel.with("found |= atomic_cmpxchg(&depth[col[e]], -1, level + 1) == -1", "found |= false"));
        Outcome outcome = DemoRunner.run(wrong, DemoRunner.LWJGL, folder, "--graph", file(EDGES));

        assertThat(outcome.exitCode()).isEqualTo(1);
        assertThat(outcome.json()).contains("\"ok\": false", "managed program, vertex 20: depth=-1, expected=1");
        assertThat(outcome.out()).contains("WRONG").doesNotContain("every depth right");
    }

    private String file(String graph) throws IOException {
        return Files.writeString(folder.resolve("graph.txt"), graph).toString();
    }
}
