package io.github.hmm4j;

import io.github.hmm4j.device.KernelLimits;
import io.github.hmm4j.device.KernelParameter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.mirror.DeviceMirror;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// A kernel of a [Program]. Immutable; threads: any.
///
/// What a launch does with memory follows from the kernel's signature: a `const` or `constant` pointer is read, any other is read and written. Where the kernel does less than its
/// signature allows, that can be said once, for all launches ([#reads], [#writes]), or for one argument of one launch ([Arg]):
///
/// ```java
/// // kernel void blur(global float *image, global float *result, int width)
/// Kernel blur = program.kernel("blur").reads("image").writes("result");
/// blur.args(image, result, width).launch(range).await();
/// ```
///
/// Now the host keeps its own copy of `image`, and overwrites it for the next launch without fetching anything; and old contents of `result` are not copied to the device.
public final class Kernel {

    private final Hmm hmm;
    private final Program program;
    private final String name;
    private final List<KernelParameter> parameters;
    private final Map<Integer, Arg.Intent> intents;

    Kernel(Hmm hmm, Program program, String name, List<KernelParameter> parameters) {
        this(hmm, program, name, parameters, Map.of());
    }

    private Kernel(Hmm hmm, Program program, String name, List<KernelParameter> parameters, Map<Integer, Arg.Intent> intents) {
        this.hmm = hmm;
        this.program = program;
        this.name = name;
        this.parameters = parameters;
        this.intents = intents;
    }

    public String name() {
        return name;
    }

    /// What it takes, in order: the names and types of its source. Immutable.
    public List<KernelParameter> parameters() {
        return parameters;
    }

    /// How large work-groups may be on a device, and how much local memory they may have.
    ///
    /// @throws io.github.hmm4j.error.KernelBuildException if the program does not compile for that device, where it was not needed before
    public KernelLimits limits(HmmDevice device) {
        try (Lifetime.Hold _ = hmm.lifetime().change("limits")) {
            return program.compiled(hmm.mirrorOf(device), name).limits();
        }
    }

    /// This kernel with the promise that it only reads what these pointers point to, whatever its signature says: a segment passed for one of them is taken as [Arg#in].
    ///
    /// A kernel that writes all the same is a mistake that nobody notices: its writes may be lost. A parameter said to be read *and* written is both, in whichever order that was
    /// said: nothing of it is dead. An [Arg] in a launch goes before what was said here.
    ///
    /// @param names of the kernel's parameters
    /// @return a new kernel; this one stays as it is
    /// @throws IllegalArgumentException if it has no such parameter, or that takes no memory; the message lists its parameters
    public Kernel reads(String... names) {
        return with(Arg.Intent.IN, indexesOf(names));
    }

    /// Like [#reads(String...)], for a signature without names that last.
    ///
    /// @param indexes of the kernel's parameters, from 0
    public Kernel reads(int... indexes) {
        return with(Arg.Intent.IN, indexes);
    }

    /// This kernel with the promise that it writes what these pointers point to, without reading it: a segment passed for one of them is taken as [Arg#out], so its old contents
    /// are dead, and what the kernel leaves out is undefined afterwards. Otherwise like [#reads(String...)].
    ///
    /// @throws IllegalArgumentException also if its signature says that it does not write there
    public Kernel writes(String... names) {
        return with(Arg.Intent.OUT, indexesOf(names));
    }

    /// Like [#writes(String...)], for a signature without names that last.
    ///
    /// @param indexes of the kernel's parameters, from 0
    public Kernel writes(int... indexes) {
        return with(Arg.Intent.OUT, indexes);
    }

    private int[] indexesOf(String... names) {
        Objects.requireNonNull(names, "names");
        return Arrays.stream(names).mapToInt(wanted -> IntStream.range(0, parameters.size())
                .filter(index -> parameters.get(index).name().equals(wanted))
                .findFirst().orElseThrow(() -> refused("has no parameter " + wanted))).toArray();
    }

    private Kernel with(Arg.Intent intent, int... indexes) {
        Objects.requireNonNull(indexes, "indexes");
        Map<Integer, Arg.Intent> more = new HashMap<>(intents);
        for (int index : indexes) {
            if (index < 0 || index >= parameters.size()) {
                throw refused("has no parameter " + index);
            }
            KernelParameter parameter = parameters.get(index);
            if (!parameter.isMemory()) {
                throw refused("takes no memory for parameter " + index);
            }
            if (parameter.isConst() && intent == Arg.Intent.OUT) {
                throw refused("does not write parameter " + index + ", which is const");
            }
            more.merge(index, intent, (before, now) -> before == now ? now : Arg.Intent.IN_OUT);
        }
        return new Kernel(hmm, program, name, parameters, Map.copyOf(more));
    }

    private IllegalArgumentException refused(String why) {
        return new IllegalArgumentException("kernel=%s %s, parameters=%s".formatted(name, why, Plan.signature(parameters)));
    }

    /// Arguments in the order of the kernel's parameters: managed segments or [Arg]s for pointers, boxed numbers for values.
    ///
    /// @throws IllegalArgumentException at launch, if number or kinds do not fit the signature, or a segment is not managed
    public Call args(Object... arguments) {
        return new Call(Objects.requireNonNull(arguments, "arguments").clone(), List.of());
    }

    /// A kernel with its arguments. Can be launched any number of times.
    public final class Call {

        private final Object[] arguments;
        private final List<Launch> earlier;

        private Call(Object[] arguments, List<Launch> earlier) {
            this.arguments = arguments;
            this.earlier = earlier;
        }

        /// This call for launches whose kernel must not start before those of others have ended. For an order that
        /// memory does not show: a kernel that uses what another one writes comes after it by itself.
        ///
        /// On the device of the others that costs nothing, since a device runs its launches in order; a launch on
        /// another device waits for them before it begins, as [Launch#await()] does. If one of them fails, the launch
        /// fails with a [PrecedingLaunchFailedException][io.github.hmm4j.error.PrecedingLaunchFailedException]:
        /// [#launch] throws it, and nothing has run, where that is known by then; else [Launch#await()] does, and the
        /// kernel has run on what there was, as any that was in the queue already.
        ///
        /// @param launches of any heap
        /// @return a new call, after those of this one as well; this one stays as it is
        public Call after(Launch... launches) {
            Objects.requireNonNull(launches, "launches");
            for (int i = 0; i < launches.length; i++) {
                Objects.requireNonNull(launches[i], "launches[" + i + "]");
            }
            return new Call(arguments, Stream.concat(earlier.stream(), Stream.of(launches)).toList());
        }

        /// Launches on the heap's first device.
        public Launch launch(NDRange range) {
            return launch(range, hmm.device());
        }

        /// Moves the pages that the kernel needs to the device and starts it there. Returns when it is enqueued, behind the launches of that device before it.
        ///
        /// A kernel that goes through the device's page table ([Arg#heap], where the device neither holds the whole heap nor works in place) has ended when this returns: it is launched again and again, with what it missed brought in between, until every
        /// work-item has come to its end. It ends with an error, and what its work-items had written by then stays, if it asks for an address
        /// that it was not given, or if one work-item alone asks for more pages than there is room for.
        ///
        /// @throws IllegalArgumentException                             if the arguments do not fit the kernel
        /// @throws IllegalStateException                                if the calling thread itself holds a view that
        /// the launch would wait for, or is within code of the program's own that this heap has called
        /// @throws io.github.hmm4j.error.AccessViolationException       if a page's protection forbids what the kernel does, or a kernel that goes through the page table asks for an address
        ///                                                              outside the ranges it was given; the message names kernel, address and work-item
        /// @throws io.github.hmm4j.error.DeviceMemoryExhaustedException if the ranges do not fit the device's budget together
        /// @throws io.github.hmm4j.error.QuotaExceededException if they are more of an allocation than may be there ([ManagedHeap#quota])
        /// @throws io.github.hmm4j.error.PrecedingLaunchFailedException if a launch has failed that this one was to come [#after]
        /// @throws io.github.hmm4j.error.LaunchBlockedException         if views of other threads kept the pages for longer than the launch timeout
        /// @throws io.github.hmm4j.error.KernelEnqueuedError            if the Java heap is full, and the kernel runs all the same; any other error says that it does not
        /// @throws io.github.hmm4j.error.HmmException                   if the device failed; no data is lost, pages moved for this launch are back, pages evicted for it stay home
        public Launch launch(NDRange range, HmmDevice device) {
            Objects.requireNonNull(range, "range");
            DeviceMirror mirror = hmm.mirrorOf(device);
            for (Launch one : earlier) {
                if (!one.isOn(mirror) || one.isDone()) {
                    one.awaitFor(name);
                }
            }
            try (Lifetime.Hold _ = hmm.lifetime().change("launch")) {
                Launch launch = hmm.launcher().launch(program.compiled(mirror, name), intents, arguments, range, mirror);
                return earlier.isEmpty() ? launch : launch.behind(earlier);
            }
        }
    }

    @Override
    public String toString() {
        return program + ":" + name;
    }
}
