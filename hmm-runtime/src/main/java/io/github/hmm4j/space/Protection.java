package io.github.hmm4j.space;

/// What the program may do with a page, on the host and on every device alike.
public enum Protection {
    /// Nothing: an access is an [io.github.hmm4j.error.AccessViolationException] of kind `FAULT`.
    NONE,
    /// Read; a write is an [io.github.hmm4j.error.AccessViolationException] of kind `PERMISSION`.
    READ,
    /// Read and write. How a region starts.
    READ_WRITE
}
