package io.github.hmm4j;

/// What a host view is for.
public enum Access {
    /// Read; devices keep their copies.
    READ,
    /// Read and write; the host's copy becomes the only one.
    WRITE
}
