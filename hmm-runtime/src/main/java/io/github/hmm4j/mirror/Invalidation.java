package io.github.hmm4j.mirror;

import io.github.hmm4j.space.VaRange;

/// Something is about to change in a range.
///
/// @param owner index of the device on whose behalf it changes, or -1
public record Invalidation(VaRange range, InvalidationKind kind, int owner) {}
