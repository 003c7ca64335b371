package io.github.hmm4j.demos.harness;

import io.github.hmm4j.timeline.TraceFile;
import java.util.Optional;
import java.util.OptionalLong;

/// Which device to run on, and how much of it to use; what is empty is left to the runtime.
///
/// @param device an index as `hmm devices` lists it, or a part of a device's name
/// @param budgetBytes how much device memory the runtime may use, more than 0
/// @param pageSizeBytes a power of two from 4 KiB to 2 MiB
/// @param trace into which every heap is to write what happens; closed by whoever made it
/// @param copy the copy engine: `direct`, `staged` or `copy`
/// @param deviceFaults whether kernels are to bring their pages themselves (`HmmBuilder.deviceFaults`)
public record DeviceChoice(Binding binding, Optional<String> device, OptionalLong budgetBytes,
    OptionalLong pageSizeBytes, Optional<TraceFile> trace, Optional<String> copy, boolean deviceFaults) {
    /// One that nobody traces.
    public DeviceChoice(Binding binding, Optional<String> device, OptionalLong budgetBytes, OptionalLong pageSizeBytes) {
        this(binding, device, budgetBytes, pageSizeBytes, Optional.empty(), Optional.empty(), false);
    }

    public DeviceChoice withPageSize(long bytes) {
        return new DeviceChoice(binding, device, budgetBytes, OptionalLong.of(bytes), trace, copy, deviceFaults);
    }

    public DeviceChoice withBudget(long bytes) {
        return new DeviceChoice(binding, device, OptionalLong.of(bytes), pageSizeBytes, trace, copy, deviceFaults);
    }

    /// With this budget, unless one was chosen.
    public DeviceChoice orBudget(long bytes) {
        return budgetBytes.isPresent() ? this : withBudget(bytes);
    }

    public DeviceChoice withCopy(Optional<String> engine) {
        return new DeviceChoice(binding, device, budgetBytes, pageSizeBytes, trace, engine, deviceFaults);
    }

    public DeviceChoice withTrace(Optional<TraceFile> file) {
        return new DeviceChoice(binding, device, budgetBytes, pageSizeBytes, file, copy, deviceFaults);
    }

    public DeviceChoice withDeviceFaults(boolean asked) {
        return new DeviceChoice(binding, device, budgetBytes, pageSizeBytes, trace, copy, asked);
    }
}
