/// A simulated device that ships with the runtime: kernels are Java, memory is off-heap, time is in the hands of the
/// test.
///
/// It keeps the whole contract of [io.github.hmm4j.device] and is stricter than any driver: memory sizes are enforced,
/// use after close, ranges outside, overlapping copies and memory of another device are refused, and reading what was
/// never written is counted. It is asynchronous like a real device, one thread for copies and one for kernels, but
/// deterministic: each [SimLane][io.github.hmm4j.device.sim.SimLane] can be held, so that a test keeps a copy or a
/// kernel in flight for as long as it needs without sleeping.
///
/// Every [Operation][io.github.hmm4j.device.sim.Operation] can be made to fail, and the device can be lost. A failure
/// is as unkind as a real one: the target of a failed copy holds garbage.
@NullMarked
package io.github.hmm4j.device.sim;

import org.jspecify.annotations.NullMarked;
