package io.github.hmm4j.demos.graph;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/// Reads a graph from a file; which of the known formats it is in shows from its first bytes, not from its name.
public final class GraphFile {
    private static final String BANNER = "%%MatrixMarket";

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
            if (in.startsWith("\u001f\u008b")) {
                throw in.malformed("the file is compressed with gzip; unpack it first (gunzip)");
            }
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
