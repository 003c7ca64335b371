package io.github.hmm4j.demos.harness;

/// An option whose value makes no sense, found only after parsing: a vertex that the graph does not have.
public final class UsageException extends Exception {
    private static final long serialVersionUID = 1L;

    public UsageException(String message) {
        super(message);
    }
}
