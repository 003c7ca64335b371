package io.github.hmm4j.demos.graph;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;

/// Reads a graph from a file; which of the known formats it is in shows from its first bytes, not from its name.
public final class GraphFile {
    private static final String BANNER = "%%MatrixMarket";
    private static final String UTF_8_MARK = "\u00ef\u00bb\u00bf";

    /// Files that hold a graph, but not as text that is read here: how they begin, and what to do about it.
    private static final Map<String, String> OTHER_FORMATS = Map.of(
        "\u001f\u008b", "the file is compressed with gzip; unpack it first (gunzip)",
        "\u00fd7zXZ\0", "the file is compressed with xz; unpack it first (unxz)",
        "BZh", "the file is compressed with bzip2; unpack it first (bunzip2)",
        "PK\u0003\u0004", "the file is a zip archive; unpack it first (unzip)",
        "(\u00b5/\u00fd", "the file is compressed with zstd; unpack it first (unzstd)",
        "\u00ff\u00fe", "the file is text in UTF-16; save it as UTF-8 first",
        "\u00fe\u00ff", "the file is text in UTF-16; save it as UTF-8 first");

    private GraphFile() {}

    /// Reads `file` in one pass.
    ///
    /// @throws GraphFormatException if the contents are malformed; says file, line and reason
    /// @throws NoSuchFileException if there is no such file
    public static NamedGraph read(Path file) throws IOException {
        if (!Files.exists(file)) {
            throw new NoSuchFileException(file.toString(), null, "there is no such graph file");
        }
        if (!Files.isRegularFile(file)) {
            throw new IOException("not a regular file, so no graph can be read from it: file=" + file);
        }
        try (ByteScanner in = ByteScanner.open(file)) {
            for (Map.Entry<String, String> other : OTHER_FORMATS.entrySet()) {
                if (in.startsWith(other.getKey())) {
                    throw in.malformed(other.getValue());
                }
            }
            in.skip(UTF_8_MARK);
            in.skipBlankLines();
            if (in.startsWith(BANNER)) {
                return MatrixMarketReader.read(in);
            }
            if (in.startsWith("%")) {
                throw in.malformed("missing header: a Matrix Market file begins with " + BANNER
                    + ", and the comments of an edge list with #");
            }
            return EdgeListReader.read(in);
        }
    }
}
