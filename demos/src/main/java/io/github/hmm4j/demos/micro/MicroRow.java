package io.github.hmm4j.demos.micro;

import java.util.Map;

/// One measured benchmark, and one JSON object.
///
/// @param name `Words.transition`
/// @param nanos mean time of one operation
/// @param errorNanos half of the 99.9 % confidence interval of that mean, as JMH computes it; NaN (null in JSON) from
///     fewer than two measurements
/// @param leastNanos the least of the measurements: what else the machine does only adds to it
/// @param measurements iterations over all processes, each a mean itself
/// @param measures one sentence: what an operation is
/// @param environment what else it depends on: `date`, `commit`, `jdk`, `processors`, `load` (of the
///     minute before), `device`, `effort`
public record MicroRow(String name, double nanos, double errorNanos, double leastNanos, long measurements,
    String measures, Map<String, String> environment) {}
