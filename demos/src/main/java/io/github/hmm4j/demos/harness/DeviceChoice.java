package io.github.hmm4j.demos.harness;

import java.util.Optional;
import java.util.OptionalLong;

/// Which device to run on, and how much of it to use; what is empty is left to the runtime.
///
/// @param device an index as `hmm devices` lists it, a part of a device's name, or [#SIMULATED]
/// @param budgetBytes how much device memory the runtime may use, more than 0
/// @param pageSizeBytes a power of two from 4 KiB to 2 MiB
public record DeviceChoice(Binding binding, Optional<String> device, OptionalLong budgetBytes,
    OptionalLong pageSizeBytes) {
    /// Asks for the simulated device, which needs no OpenCL.
    public static final String SIMULATED = "sim";

    public boolean simulated() {
        return device.filter(SIMULATED::equals).isPresent();
    }
}
