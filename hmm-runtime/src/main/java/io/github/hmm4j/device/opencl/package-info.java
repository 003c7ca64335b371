/// Devices that an OpenCL driver offers, over one narrow port.
///
/// [ClApi][io.github.hmm4j.device.opencl.ClApi] is all of OpenCL that the runtime calls, in `long` handles; the
/// packages `lwjgl` and `jocl` implement it, and nothing else here knows either library. Everything above it is written
/// once: [ClPlatforms][io.github.hmm4j.device.opencl.ClPlatforms] lists,
/// [ClDevice][io.github.hmm4j.device.opencl.ClDevice] is the [Device][io.github.hmm4j.device.Device].
///
/// **Queues.** A device has two in-order queues, one for launches and one for copies and fills. Nothing orders them
/// against each other but the host. Where a kernel carries pieces, its lane has one more, ordered with the copies by wait
/// lists.
///
/// **Contexts.** Each device has a context of its own: a driver may keep a copy of every buffer for every device of a
/// context, may pin nothing there, and may end all of it when one device is lost. What goes from one device to another
/// goes through the host.
///
/// **Locks.** Whoever holds one may take those of a higher rank, and no other.
///
/// | rank | lock | guards | never done while it is held |
/// | --- | --- | --- | --- |
/// | 1 | `ClDevice`, choice | the self-test, run once | calling back |
/// | 2 | `ClDevice`, life: shared to make something, alone to close | the context | calling back (closing waits) |
/// | 3 | `ClProgram` | its kernels | waiting |
/// | 4 | `ClKernel` | arguments of the `cl_kernel`, from the first set to the enqueue | waiting |
/// | 4 | `StagedCopyEngine`, `DirectCopyEngine` | open or closed; windows | waiting, but to close and after an error |
/// | 5 | lane of `StagedCopyEngine` | its slots, the order of its batches | calling back (it waits for the device) |
/// | 6 | `ClQueue` | the completions not yet seen to end | waiting, except after an error |
/// | 7 | `ClCompletion` | users of the event, the outcome | waiting |
/// | 7 | `ClMemory` | open or closed | waiting |
///
/// A lane compiles and closes a program of its own while it is locked; nobody else knows that one.
@NullMarked
package io.github.hmm4j.device.opencl;

import org.jspecify.annotations.NullMarked;
