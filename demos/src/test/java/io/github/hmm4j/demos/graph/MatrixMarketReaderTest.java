package io.github.hmm4j.demos.graph;

import static io.github.hmm4j.demos.graph.EdgeListReaderTest.edges;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MatrixMarketReaderTest {
    private static final String GENERAL = "%%MatrixMarket matrix coordinate pattern general\n";

    @TempDir
    Path folder;

    @Test
    void readsAPatternAndCountsIsolatedVertices() throws IOException {
        NamedGraph read = read(GENERAL + "% comment\n\n4 4 3\n1 2\n\n% more\n2 3\n3 3\n");
        assertThat(read.graph().vertexCount()).isEqualTo(4);
        assertThat(edges(read)).containsExactly("1>2", "2>3", "3>3");
        assertThat(read.names().vertex("4")).hasValue(3);
        assertThat(read.names().vertex("0")).isEmpty();
        assertThat(read.names().vertex("5")).isEmpty();
        assertThat(read.names().describe()).isEqualTo("a row of the matrix, 1 to 4");
    }

    @Test
    void readsCrLfValuesAndAnyCaseOfTheHeader() throws IOException {
        assertThat(edges(read("%%matrixmarket MATRIX Coordinate Real General\r\n2 2 2\r\n1 2 -1.5e3\r\n2 1 0\r\n")))
            .containsExactly("1>2", "2>1");
        assertThat(edges(read("%%MatrixMarket matrix coordinate integer general\n2 2 1\n1\t2\t-7")))
            .containsExactly("1>2");
    }

    @Test
    void mirrorsSymmetricEntriesButNotTheDiagonal() throws IOException {
        String text = "%%MatrixMarket matrix coordinate pattern symmetric\n3 3 3\n2 1\n3 3\n3 1\n";
        assertThat(edges(read(text))).containsExactly("1>2", "1>3", "2>1", "3>3", "3>1");
    }

    @Test
    void readsAMatrixWithoutEntries() throws IOException {
        assertThat(read(GENERAL + "2 2 0\n").graph().edgeCount()).isZero();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        3 3 1;1 4;         | 3 | row or column | column out of range: 4 is not in 1 to 3
        3 3 1;0 1;         | 3 | 1-based       | row out of range: 0 is not in 1 to 3
        3 3 1;-1 1;        | 3 | sign          | negative row: -1
        3 3 1;1 b;         | 3 | letters       | bad number for column: 'b'
        3 3 1;1;           | 3 | too short     | missing column
        3 3 1;1 2 3;       | 3 | value         | expected 'row column', but '3' follows
        3 3 2;1 2;         | 3 | too few       | truncated: the size line announces 2 entries, the file has 1
        3 3 2;1 2;;%c      | 5 | too few       | truncated: the size line announces 2 entries, the file has 1
        3 3 1;1 2;;2 1;    | 5 | too many      | too many entries: the size line announces 1
        3 3;1 2;           | 2 | size line     | missing number of entries
        3 x 1;1 2;         | 2 | size line     | bad number for number of columns: 'x'
        3 3 1 1;1 2;       | 2 | size line     | expected 'rows columns entries', but '1' follows
        3 4 1;1 2;         | 2 | not square    | a graph needs a square matrix: rows=3, columns=4
        0 0 0;             | 2 | no vertices   | the matrix has no rows, so the graph has no vertices
        %c;                | 2 | nothing       | truncated: the size line 'rows columns entries' is missing
        2000000000 2000000000 3;1 2; | 2 | empty rows | far more vertices than edges: rows=2000000000, entries=3; \
        above 16777216 rows there must be an entry for every 64
        2000000000 2000000000 900000000000000;1 2; | 3 | a lie | truncated: the size line announces 900000000000000 entries, \
        the file has 1
        3000000000 3000000000 0; | 2 | huge    | too many vertices: rows=3000000000, at most 2147483646
        """)
    void refusesMalformedContents(String lines, long line, String why, String reason) {
        assertMalformed(GENERAL + lines.replace(';', '\n'), line, why, reason);
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "-1.5e3", "+.5", "2.", "inf", "-Infinity", "NaN", "1.0D+03", "1d-3", "1.0-103"})
    void readsValuesOfCAndFortran(String value) throws IOException {
        assertThat(edges(read("%%MatrixMarket matrix coordinate real general\n2 2 1\n1 2 " + value + "\n"))).containsExactly("1>2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\u00ef\u00bb\u00bf", "\n\n", "  \t", "\u00ef\u00bb\u00bf \r\n  "})
    void readsOnBehindAMarkAndBlanks(String before) throws IOException {
        byte[] text = (before + GENERAL + "2 2 1\n1 2\n").getBytes(StandardCharsets.ISO_8859_1);
        assertThat(edges(GraphFile.read(Files.write(folder.resolve("marked.mtx"), text)))).containsExactly("1>2");
        byte[] list = (before + "# comment\n7 8\n").getBytes(StandardCharsets.ISO_8859_1);
        assertThat(edges(GraphFile.read(Files.write(folder.resolve("marked.txt"), list)))).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({"1f8b08, gzip", "fd377a585a00, xz", "425a6839, bzip2", "504b0304, zip", "28b52ffd, zstd", "fffe2500, UTF-16"})
    void namesFormatsThatAreNotRead(String begin, String format) throws IOException {
        Path file = Files.write(folder.resolve("graph"), HexFormat.of().parseHex(begin));
        assertThatThrownBy(() -> GraphFile.read(file)).isInstanceOf(GraphFormatException.class).hasMessageContaining(format);
    }

    @Test
    void refusesAValueThatIsNoNumber() {
        String header = "%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 0.5\n";
        assertMalformed(header + "2 1 zero\n", 4, "value", "bad number for value: 'zero'");
        assertMalformed(header + "2 1 0x1p3\n", 4, "value", "bad number for value: '0x1p3'");
        assertMalformed(header + "2 1\n", 4, "value", "missing value");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        %%MatrixMarket matrix array real general         | unsupported format: 'array' (can be coordinate)
        %%MatrixMarket vector coordinate real general    | unsupported object: 'vector' (can be matrix)
        %%MatrixMarket matrix coordinate complex general | unsupported field: 'complex' (can be integer, pattern, real)
        %%MatrixMarket matrix coordinate real hermitian  | unsupported symmetry: 'hermitian' (can be general, symmetric)
        %%MatrixMarket matrix coordinate real            | bad header: expected '%%MatrixMarket matrix \
        coordinate FIELD SYMMETRY'
        % a comment                                      | missing header: a Matrix Market file begins with \
        %%MatrixMarket, and the comments of an edge list with #
        """)
    void refusesOtherHeaders(String header, String reason) {
        assertMalformed(header + "\n2 2 1\n1 2\n", 1, "header", reason);
    }

    private NamedGraph read(String text) throws IOException {
        return GraphFile.read(Files.writeString(folder.resolve("matrix.mtx"), text));
    }

    private void assertMalformed(String text, long line, String why, String reason) {
        assertThatThrownBy(() -> read(text)).as(why).isInstanceOfSatisfying(GraphFormatException.class, e -> {
            assertThat(e.reason()).isEqualTo(reason);
            assertThat(e.line()).isEqualTo(line);
        });
    }
}
