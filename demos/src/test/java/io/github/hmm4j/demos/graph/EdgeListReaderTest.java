package io.github.hmm4j.demos.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EdgeListReaderTest {
    @TempDir
    Path folder;

    @Test
    void readsTabsSpacesCommentsAndBlankLines() throws IOException {
        NamedGraph read = read("# a comment\n0\t1\n\n  1   2  \n# in between\n2 0\n");
        assertThat(edges(read)).containsExactly("0>1", "1>2", "2>0");
        assertThat(read.graph().vertexCount()).isEqualTo(3);
        assertThat(read.warnings()).isEmpty();
    }

    @Test
    void readsCrLfAndAFileWithoutALastLineEnd() throws IOException {
        assertThat(edges(read("# c\r\n0\t1\r\n\r\n1\t2\r\n2\t2"))).containsExactly("0>1", "1>2", "2>2");
        assertThat(edges(read("7 8\r\n8 7\r"))).containsExactly("7>8", "8>7");
    }

    @Test
    void keepsDirectionOrderDuplicatesAndLoops() throws IOException {
        assertThat(edges(read("1 5\n1 3\n1 5\n3 3\n"))).containsExactly("1>5", "1>3", "1>5", "3>3");
    }

    @Test
    void countsOnlyVerticesThatOccur() throws IOException {
        NamedGraph read = read("1000000 10\n10 99999999999\n");
        assertThat(read.graph().vertexCount()).isEqualTo(3);
        assertThat(edges(read)).containsExactly("10>99999999999", "1000000>10");
        assertThat(read.names().vertex("1000000")).hasValue(1);
        assertThat(read.names().vertex("11")).isEmpty();
        assertThat(read.names().vertex("x")).isEmpty();
        assertThat(read.names().describe()).contains("3 of them from 10 to 99999999999");
    }

    @Test
    void warnsWhenTheAnnouncedCountsDiffer() throws IOException {
        assertThat(read("# Nodes: 2 Edges: 1\n0 1\n").warnings()).isEmpty();
        assertThat(read("# Nodes: 3 Edges: 9\n0 1\n1 0\n").warnings())
            .singleElement().asString().contains("announces 3 vertices and 9 edges, but holds 2 and 2");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        0 1\\n2 x\\n                      | 2 | bad number for target vertex: 'x'
        0 1\\n# c\\n\\nfoo 1\\n           | 4 | bad number for source vertex: 'foo'
        0 1\\n1.5 2\\n                    | 2 | bad number for source vertex: '1.5'
        0,1\\n                            | 1 | bad number for source vertex: '0,1'
        0 1\\n-3 2\\n                     | 2 | negative source vertex: -3
        0 1\\r\\n0 -1\\r\\n               | 2 | negative target vertex: -1
        0 1\\n5\\n                        | 2 | missing target vertex
        0 1\\n1 2\\n7                     | 3 | missing target vertex
        0 1 1\\n                          | 1 | expected two vertex ids, but '1' follows
        9223372036854775808 1\\n          | 1 | source vertex too large: 9223372036854775808
        0 1\\r0 2\\n                      | 1 | bad number for target vertex: '1'
        """)
    void refusesMalformedLines(String text, long line, String reason) {
        assertMalformed(text.replace("\\n", "\n").replace("\\r", "\r"), line, reason);
    }

    @Test
    void refusesFilesWithoutEdges() {
        assertMalformed("", 1, "the file is empty");
        assertMalformed("# only\n# comments\n\n", 3, "the file has no edges");
    }

    @Test
    void refusesCompressedFiles() {
        Path file = folder.resolve("graph.txt.gz");
        assertThatThrownBy(() -> GraphFile.read(Files.write(file, new byte[] {0x1f, (byte) 0x8b, 8, 0})))
            .isInstanceOf(GraphFormatException.class).hasMessageContaining("gzip");
    }

    @Test
    void saysWhichFileIsMissing() {
        Path missing = folder.resolve("nowhere.txt");
        assertThatThrownBy(() -> GraphFile.read(missing)).hasMessageContaining("no such graph file")
            .hasMessageContaining(missing.toString());
        assertThatThrownBy(() -> GraphFile.read(folder)).hasMessageContaining("not a regular file");
    }

    @Test
    void agreesWithANaiveReaderOnRandomGraphs() throws IOException {
        for (long seed = 0; seed < 40; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            long idBound = seed % 2 == 0 ? 300 : Long.MAX_VALUE;
            List<Long> ids = random.longs(100, 0, idBound).boxed().toList();
            TreeMap<Long, List<Long>> expected = new TreeMap<>();
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < 1000; i++) {
                long source = ids.get(random.nextInt(ids.size()));
                long target = ids.get(random.nextInt(ids.size()));
                expected.computeIfAbsent(source, _ -> new ArrayList<>()).add(target);
                text.append(source).append(random.nextBoolean() ? "\t" : "  ").append(target)
                    .append(random.nextBoolean() ? "\n" : "\r\n");
            }
            List<String> lines = new ArrayList<>();
            expected.forEach((source, targets) -> targets.forEach(target -> lines.add(source + ">" + target)));
            assertThat(edges(read(text.toString()))).as("seed=%d", seed).isEqualTo(lines);
        }
    }

    private NamedGraph read(String text) throws IOException {
        return GraphFile.read(Files.writeString(folder.resolve("graph.txt"), text, StandardCharsets.ISO_8859_1));
    }

    private void assertMalformed(String text, long line, String reason) {
        assertThatThrownBy(() -> read(text)).isInstanceOfSatisfying(GraphFormatException.class, e -> {
            assertThat(e.reason()).isEqualTo(reason);
            assertThat(e.line()).isEqualTo(line);
            assertThat(e.file()).endsWith("graph.txt");
            assertThat(e).hasMessageEndingWith("graph.txt:" + line + ": " + reason);
        });
    }

    /// All edges by the names of their vertices, in the order of the rows.
    static List<String> edges(NamedGraph named) {
        CsrGraph graph = named.graph();
        List<String> edges = new ArrayList<>();
        for (int v = 0; v < graph.vertexCount(); v++) {
            for (long edge = graph.rowStart(v); edge < graph.rowEnd(v); edge++) {
                edges.add(named.names().name(v) + ">" + named.names().name(graph.target(edge)));
            }
        }
        assertThat(graph.edgeCount()).isEqualTo(edges.size());
        return edges;
    }
}
