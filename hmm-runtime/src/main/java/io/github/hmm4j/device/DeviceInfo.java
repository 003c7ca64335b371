package io.github.hmm4j.device;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/// What a device says of itself, as far as it matters here, and for the choice of work-groups.
///
/// @param name                 as the driver gives it
/// @param vendor               as the driver gives it
/// @param driver               platform and driver version
/// @param binding              the library the calls go through: `lwjgl` or `jocl`
/// @param kind                 what sort of device
/// @param memoryBytes          global memory as reported; not every driver enforces it
/// @param maxAllocationBytes   largest single allocation
/// @param baseAlignmentBytes   a kernel's pointer argument can start at multiples of this
/// @param maxWorkGroupSize     work-items in one work-group at most; a kernel may have less ([KernelLimits])
/// @param computeUnits         compute units: how many work-groups run at a time at least, so launch more of them
/// @param localMemoryBytes     local memory of one work-group at most
/// @param unifiedMemory        whether the device works in host memory, so that a page in place costs no transfer over a bus
/// @param svm                  what shared virtual memory it offers
public record DeviceInfo(
        String name,
        String vendor,
        String driver,
        String binding,
        Kind kind,
        long memoryBytes,
        long maxAllocationBytes,
        int baseAlignmentBytes,
        int maxWorkGroupSize,
        int computeUnits,
        long localMemoryBytes,
        boolean unifiedMemory,
        Set<Svm> svm) {

    /// What sort of device.
    public enum Kind { CPU, GPU, ACCELERATOR, OTHER }

    /// Kinds of shared virtual memory (`CL_DEVICE_SVM_CAPABILITIES`).
    public enum Svm { COARSE_GRAIN_BUFFER, FINE_GRAIN_BUFFER, FINE_GRAIN_SYSTEM, ATOMICS }

    public DeviceInfo {
        Set<Svm> ordered = EnumSet.noneOf(Svm.class); // reads the same in each run
        ordered.addAll(svm);
        svm = Collections.unmodifiableSet(ordered);
    }

    /// The same device, if it gives larger allocations.
    public DeviceInfo allocating(long mostBytes) {
        return new DeviceInfo(name, vendor, driver, binding, kind, memoryBytes, mostBytes, baseAlignmentBytes, maxWorkGroupSize, computeUnits, localMemoryBytes, unifiedMemory, svm);
    }
}
