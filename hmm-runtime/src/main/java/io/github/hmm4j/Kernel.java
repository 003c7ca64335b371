package io.github.hmm4j;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.mirror.DeviceMirror;

/// A kernel of a [Program]. Immutable; threads: any.
public final class Kernel {

    private final Hmm hmm;
    private final Program program;
    private final String name;

    Kernel(Hmm hmm, Program program, String name) {
        this.hmm = hmm;
        this.program = program;
        this.name = name;
    }

    public String name() {
        return name;
    }

    /// Arguments in the order of the kernel's parameters: managed segments or [Arg]s for pointers, boxed numbers for values.
    ///
    /// @throws IllegalArgumentException at launch, if number or kinds do not fit the signature, or a segment is not managed
    public Call args(Object... arguments) {
        return new Call(arguments.clone());
    }

    /// A kernel with its arguments. Can be launched any number of times.
    public final class Call {

        private final Object[] arguments;

        private Call(Object[] arguments) {
            this.arguments = arguments;
        }

        /// Launches on the heap's first device.
        public Launch launch(NDRange range) {
            return launch(range, hmm.device());
        }

        /// Moves the pages that the kernel needs to the device and starts it there. Returns when it is enqueued, behind the launches of that device before it.
        ///
        /// @throws IllegalArgumentException                             if the arguments do not fit the kernel
        /// @throws IllegalStateException                                if the calling thread itself holds a view that the launch would wait for
        /// @throws io.github.hmm4j.error.AccessViolationException       if a page's protection forbids what the kernel does
        /// @throws io.github.hmm4j.error.DeviceMemoryExhaustedException if the ranges do not fit the device's budget together
        /// @throws io.github.hmm4j.error.LaunchBlockedException         if views of other threads kept the pages for longer than the launch timeout
        /// @throws io.github.hmm4j.error.HmmException                   if the device failed; no data is lost, pages moved for this launch are back, pages evicted for it stay home
        public Launch launch(NDRange range, HmmDevice device) {
            try (Lifetime.Hold _ = hmm.lifetime().use()) {
                DeviceMirror mirror = hmm.mirrorOf(device);
                return hmm.launcher().launch(program.compiled(mirror, name), arguments, range, mirror);
            }
        }
    }

    @Override
    public String toString() {
        return program + ":" + name;
    }
}
