/// The devices that demos run on: opening a managed heap, a bare OpenCL queue beside it, and the simulated device's
/// kernels.
@NullMarked
package io.github.hmm4j.demos.device;

import org.jspecify.annotations.NullMarked;
