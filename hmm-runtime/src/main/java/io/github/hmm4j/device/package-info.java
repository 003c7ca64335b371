/// What the runtime asks of a device, and nothing more: memory, a copy engine, and kernels.
///
/// A [Device][io.github.hmm4j.device.Device] is mechanism without opinion. It does not know pages, regions or policy; it allocates
/// [DeviceMemory][io.github.hmm4j.device.DeviceMemory], moves bytes between it and the host pages, and runs kernels on it.
/// [FrameMemory][io.github.hmm4j.device.FrameMemory] divides that memory into frames; [FramePool][io.github.hmm4j.device.FramePool] gives them out under a budget of ours,
/// unless they are the heap's first pages, one for one ([Aperture][io.github.hmm4j.device.Aperture]).
///
/// Blanket rules. Nulls throw. Sizes and offsets are bytes. All implementations are thread-safe. Every failure is a typed
/// [HmmException][io.github.hmm4j.error.HmmException]; a failed call has no effect. Copies are ordered among themselves, launches are ordered among themselves, and
/// **the two are not ordered against each other**: the migration protocol waits on the host for whichever must come first, so that a page can come home while a
/// kernel that does not use it is still running, where the hardware does both at a time.
@NullMarked
package io.github.hmm4j.device;

import org.jspecify.annotations.NullMarked;
