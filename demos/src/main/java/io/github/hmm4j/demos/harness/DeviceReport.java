package io.github.hmm4j.demos.harness;

import java.util.List;
import java.util.Optional;

/// One device and what hmm4j would do with it: a row of `hmm devices`, and one JSON object.
///
/// @param number what `--device` takes
/// @param chosen whether it is the one taken without `--device`
/// @param kind `CPU`, `GPU`, ...
/// @param svm kinds of shared virtual memory
/// @param use what a heap on it would be; empty if it could not be opened
/// @param error why it could not be opened
public record DeviceReport(int number, boolean chosen, String name, String kind, String platform, String vendor,
    String driver, String binding, int computeUnits, long memoryBytes, long maxAllocationBytes, int alignmentBytes,
    boolean unifiedMemory, List<String> svm, Optional<Use> use, Optional<String> error) {
    public DeviceReport {
        svm = List.copyOf(svm);
    }

    /// @param copyEngine the one that the self-test chose
    /// @param toDeviceMegabytesPerSecond measured by the self-test (10^6 bytes)
    /// @param toHostMegabytesPerSecond measured by the self-test (10^6 bytes)
    /// @param copyEngineWhy why that one
    /// @param heapBytes the default heap, to which the rest applies
    /// @param budgetBytes device memory that pages may take
    /// @param placement `aperture`: kernels may follow pointers; `windows`: each argument in one piece
    /// @param hostAccess how Java touches managed memory
    public record Use(String copyEngine, long toDeviceMegabytesPerSecond, long toHostMegabytesPerSecond,
        String copyEngineWhy, long heapBytes, long budgetBytes, String placement, String hostAccess,
        String hostAccessWhy) {}
}
