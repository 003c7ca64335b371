package io.github.hmm4j.demos.harness;

import java.util.List;
import java.util.Optional;

/// One device and what hmm4j would do with it: a row of `hmm devices`, and one JSON object.
///
/// @param number what `--device` takes; [#IGNORED] for a device or a whole platform that cannot be used
/// @param chosen whether it is the one taken without `--device`
/// @param kind `CPU`, `GPU`, ...
/// @param svm kinds of shared virtual memory
/// @param use what a heap on it would be; empty if it could not be opened
/// @param error why it could not be opened, or cannot be used
/// @param offer what else of it matters here; empty if it cannot be used or does not say
/// @param decisions what hmm4j does with it, and why; empty if it could not be opened
/// @param workGroups what a program chooses the sizes of work-groups by; empty if it cannot be used
public record DeviceReport(int number, boolean chosen, String name, String kind, String platform, String vendor,
    String driver, String binding, int computeUnits, long memoryBytes, long maxAllocationBytes, int alignmentBytes,
    boolean unifiedMemory, List<String> svm, Optional<Use> use, Optional<String> error, Optional<Offer> offer,
    List<Decision> decisions, Optional<WorkGroups> workGroups) {
    public static final int IGNORED = -1;

    public DeviceReport {
        svm = List.copyOf(svm);
        decisions = List.copyOf(decisions);
    }

    /// A device or a whole platform that cannot be used.
    public static DeviceReport ignored(String platform, String name, String binding, String why) {
        return new DeviceReport(IGNORED, false, name, "", platform, "", "", binding, 0, 0, 0, 0, false, List.of(),
            Optional.empty(), Optional.of(why), Optional.empty(), List.of(), Optional.empty());
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

    /// What the driver says of the device, as far as it matters here.
    ///
    /// @param openCl the version, such as `3.0`
    /// @param openClC versions of the kernel language that its compiler takes
    /// @param sharedMemory the four kinds that OpenCL knows, whether the device has them or not
    /// @param atomics in words, the orders and the widest scope of atomics on global memory
    /// @param outOfOrder whether it has queues that reorder commands
    /// @param profiling whether queues keep device times
    /// @param timerNanos the step of those times
    /// @param extensions those it has that change what hmm4j does, or would
    /// @param uuid the same in every interface to this device; empty if the driver does not say
    /// @param pciAddress `domain:bus:device.function`; empty if the driver does not say
    public record Offer(String openCl, List<String> openClC, List<SharedMemory> sharedMemory, String atomics,
        boolean outOfOrder, boolean profiling, long timerNanos, List<Extension> extensions, Optional<String> uuid,
        Optional<String> pciAddress) {
        public Offer {
            openClC = List.copyOf(openClC);
            sharedMemory = List.copyOf(sharedMemory);
            extensions = List.copyOf(extensions);
        }
    }

    /// What limits work-groups, of any kernel; one alone may have less (`Kernel.limits`).
    ///
    /// @param maxWorkGroupSize work-items in one at most
    /// @param localMemoryBytes local memory of one at most
    /// @param preferredMultiple work-groups of a multiple of so many work-items use the hardware best; empty if the
    /// driver says that of kernels only
    public record WorkGroups(int maxWorkGroupSize, long localMemoryBytes, Optional<Long> preferredMultiple) {}

    /// @param kind in the words of the specification
    /// @param meaning what a program can do with it
    public record SharedMemory(String kind, boolean available, String meaning) {}

    /// @param meaning what it changes, or would change
    public record Extension(String name, String meaning) {}

    /// One thing that hmm4j decides for a device.
    public record Decision(String what, String choice, String why) {}
}
