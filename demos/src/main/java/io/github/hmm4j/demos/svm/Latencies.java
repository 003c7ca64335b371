package io.github.hmm4j.demos.svm;

import java.util.List;

/// How long single operations took, in nanoseconds, of all measurements together.
///
/// @param buckets in ascending order, none empty; enough to draw the distribution
public record Latencies(long p50, long p99, long p999, long max, long operations, List<Bucket> buckets) {
    /// @param upToNanos the largest value that counts here
    /// @param count     operations above the bucket before and up to this one
    public record Bucket(long upToNanos, long count) {}

    public Latencies {
        buckets = List.copyOf(buckets);
    }
}
