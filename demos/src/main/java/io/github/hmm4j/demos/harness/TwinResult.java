package io.github.hmm4j.demos.harness;

/// What one of the two programs of a demo took.
///
/// @param nanos end to end, with all copies, without set-up and check
/// @param bytesToDevice as counted, not as computed
/// @param views host views (checked access) or faults (transparent access); 0 for the explicit program
/// @param linesOfCode see [LinesOfCode]
public record TwinResult(long nanos, long bytesToDevice, long bytesToHost, long views, int linesOfCode) {}
