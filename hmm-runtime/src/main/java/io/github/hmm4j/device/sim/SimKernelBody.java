package io.github.hmm4j.device.sim;

import io.github.hmm4j.device.NDRange;

/// A kernel in Java: does the work of all work-items of `range`.
///
/// Runs on the device's compute thread. What it throws becomes the failure of the launch, with the exception attached
/// as suppressed.
@FunctionalInterface
public interface SimKernelBody {
    void run(SimArguments arguments, NDRange range);
}
