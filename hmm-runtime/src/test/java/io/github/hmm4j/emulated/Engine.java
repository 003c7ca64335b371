package io.github.hmm4j.emulated;

/// What works off the commands of an emulated GPU, one after the other, in the order of the layer's `gpu.h`. Commands count, and are held, by the one that they ask for: also on a device that
/// has only one for everything (`igpu`), where a command that is held lets those behind it for another pass.
public enum Engine {
    /// Kernels and fills.
    COMPUTE,
    /// Copies from the host and within the device, and unmaps.
    TO_DEVICE,
    /// Copies to the host, and maps.
    TO_HOST
}
