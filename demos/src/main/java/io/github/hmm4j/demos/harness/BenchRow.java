package io.github.hmm4j.demos.harness;

import io.github.hmm4j.demos.report.Units;
import java.util.Map;
import java.util.Optional;

/// One measured figure, and one JSON object.
///
/// @param name `copy.h2d`
/// @param value the median, in `unit`
/// @param ratio against the baseline, a median too; empty (null in JSON) where the target is a time or a rate
/// @param baseline what it is compared with, in words
/// @param device as the device calls itself; CPU devices are labelled as such
/// @param binding `lwjgl`, `jocl`, or `none`
/// @param sizes what was moved, how much of it, and figures beside the median, by name, unit last: `lengthBytes`, `pageSizeBytes`, `p90Nanos`
/// @param target what the figure should reach, if anything; a missed target is a result, not a failure
/// @param spread how far single runs lie from the median
/// @param environment what else the figure depends on, by name: `date`, `commit`, `jdk`, `driver`, ...
public record BenchRow(String name, double value, String unit, Optional<Double> ratio, String baseline, String device,
    String binding, Map<String, Long> sizes, Optional<Target> target, Optional<Spread> spread,
    Map<String, String> environment) {

    /// A bound, and whether the ratio (or the value, where there is no ratio) keeps it.
    ///
    /// @param bound in words: `>= 0.90`
    public record Target(String bound, boolean met) {
        public static Target atLeast(double figure, double limit) {
            return new Target(">= " + Units.decimal(limit), figure >= limit);
        }

        public static Target atMost(double figure, double limit) {
            return new Target("<= " + Units.decimal(limit), figure <= limit);
        }
    }

    /// Of the figure that has the target: the ratio, or the value where there is no ratio.
    ///
    /// @param p10 a tenth of the runs were below
    /// @param p90 a tenth of the runs were above
    /// @param runs how many there were
    public record Spread(double min, double p10, double p90, double max, int runs) {}
}
