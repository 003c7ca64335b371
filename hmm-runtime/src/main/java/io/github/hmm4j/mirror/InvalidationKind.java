package io.github.hmm4j.mirror;

/// Why what a mirror knows of a range ends.
public enum InvalidationKind {
    /// The range is freed or moved away: its addresses mean nothing any more.
    UNMAP,
    /// The contents are replaced or discarded; the addresses stay valid.
    CLEAR,
    /// The protection changes.
    PROTECT,
    /// Pages move between the host and devices. The device named as owner moves them itself and may ignore the event.
    MIGRATE,
    /// The heap closes.
    RELEASE
}
