package io.github.hmm4j.demos.harness;

import java.util.Map;
import java.util.Optional;

/// One measured figure, and one JSON object.
///
/// @param name `copy.h2d`
/// @param value the median, in `unit`
/// @param ratio against the baseline; empty (null in JSON) where the target is a time or a rate
/// @param baseline what it is compared with, in words
/// @param device as the device calls itself; CPU devices are labelled as such
/// @param binding `lwjgl`, `jocl`, or `none`
/// @param sizes what was moved or how much of it, by name, unit last: `lengthBytes`, `pageSizeBytes`, `runs`
public record BenchRow(String name, double value, String unit, Optional<Double> ratio, String baseline, String device,
    String binding, Map<String, Long> sizes) {}
