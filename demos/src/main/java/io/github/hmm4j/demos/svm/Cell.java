package io.github.hmm4j.demos.svm;

import java.util.Locale;
import java.util.Optional;

/// What came of one strategy with one workload at one size: figures, or why there are none.
///
/// @param sizeBytes of the data
/// @param why       empty if it was measured; else `not supported by this device: ...`, or what went wrong
public record Cell(Workload workload, Strategy strategy, long sizeBytes, Status status, String why, Optional<Figures> figures) {
    public enum Status { MEASURED, NOT_SUPPORTED, FAILED }

    /// @param wall          one operation, as the program waits for it
    /// @param device        of it, what kernels took by the device's own clock; empty if it does not say
    /// @param bytesToDevice copied to the device by one operation, on average; what moves without a call is not known and not in it
    /// @param bytesToHost   copied to the host by one operation, on average
    /// @param latencies     of single operations; empty where only whole samples are timed
    public record Figures(Estimate wall, Optional<Estimate> device, long bytesToDevice, long bytesToHost, Optional<Latencies> latencies) {}

    public Cell {
        if (sizeBytes <= 0) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "a cell without a size: workload=%s, strategy=%s, sizeBytes=%d",
                workload, strategy, sizeBytes));
        }
        if (status == Status.MEASURED && figures.isEmpty()) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "measured, but without figures: workload=%s, strategy=%s, sizeBytes=%d",
                workload, strategy, sizeBytes));
        }
    }

    public static Cell measured(Workload workload, Strategy strategy, long sizeBytes, Figures figures) {
        return new Cell(workload, strategy, sizeBytes, Status.MEASURED, "", Optional.of(figures));
    }

    public static Cell notSupported(Workload workload, Strategy strategy, long sizeBytes, String why) {
        return new Cell(workload, strategy, sizeBytes, Status.NOT_SUPPORTED, "not supported by this device: " + why, Optional.empty());
    }

    /// @param why a sentence of its own: no device could do it
    public static Cell impossible(Workload workload, Strategy strategy, long sizeBytes, String why) {
        return new Cell(workload, strategy, sizeBytes, Status.NOT_SUPPORTED, why, Optional.empty());
    }

    public static Cell failed(Workload workload, Strategy strategy, long sizeBytes, String why) {
        return new Cell(workload, strategy, sizeBytes, Status.FAILED, why, Optional.empty());
    }
}
