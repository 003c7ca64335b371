package io.github.hmm4j.demos.graph;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;

/// A graph file that says something we cannot take at its word: which file, which line, and why.
public final class GraphFormatException extends IOException {
    private static final long serialVersionUID = 1L;

    private final String file;
    private final long line;
    private final String reason;

    GraphFormatException(Path file, long line, String reason) {
        super(String.format(Locale.ROOT, "%s:%d: %s", file, line, reason));
        this.file = file.toString();
        this.line = line;
        this.reason = reason;
    }

    public String file() {
        return file;
    }

    /// Counted from 1; the last line when something is missing at the end.
    public long line() {
        return line;
    }

    public String reason() {
        return reason;
    }
}
