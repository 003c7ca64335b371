package io.github.hmm4j.demos.svm;

/// The median of repeated measurements in nanoseconds, and how sure it is.
///
/// The interval is the one of order statistics: it holds for any distribution, if single measurements do not depend on one another
/// (Hahn and Meeker, Statistical Intervals, 1991, 5.2).
///
/// @param low        lower end of the interval in which the median of all possible measurements lies
/// @param high       upper end of it
/// @param confidence that it does, at least 0.95; 0 if there were too few measurements for any
/// @param noise      distance from p25 to p75, as a part of the median
/// @param samples    how many measurements
public record Estimate(double median, double low, double high, double confidence, double min, double p10, double p90, double max,
    double noise, int samples) {}
