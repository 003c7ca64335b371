package io.github.hmm4j.emulated;

/// What works off the commands of an emulated GPU, one after the other, in the order of `enum engine`.
public enum Engine {
    /// Kernels, fills, and copies within the device.
    COMPUTE,
    /// Copies from the host.
    TO_DEVICE,
    /// Copies to the host.
    TO_HOST
}
