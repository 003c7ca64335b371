package io.github.hmm4j.demos.micro;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.CopyEngine;
import io.github.hmm4j.device.CopyRun;
import io.github.hmm4j.device.Device;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.device.DeviceProgram;
import io.github.hmm4j.device.KernelArgument;
import io.github.hmm4j.device.KernelLimits;
import io.github.hmm4j.device.KernelParameter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/// A device that does nothing, and that at once: what a heap over it costs is all hmm4j's own.
///
/// It has no memory, copies nothing, and every kernel takes three pointers and is done when it is launched. So data must
/// not be looked at; only the bookkeeping about it is real.
final class NoDriver implements Device {
    private static final int PARAMETERS = 3;
    private static final int ALIGNMENT_BYTES = 128;
    private static final KernelLimits NO_LIMITS =
        new KernelLimits(Long.MAX_VALUE, List.of(Long.MAX_VALUE, Long.MAX_VALUE, Long.MAX_VALUE), List.of(), 0,
                Long.MAX_VALUE, 1, false);

    /// A heap over such a device, with checked access, as with any device that native code cannot drive.
    static Hmm heap(long bytes) {
        return Hmm.builder().heap(bytes).device(new NoDriver()).open();
    }

    @Override
    public DeviceInfo info() {
        return new DeviceInfo("does nothing", "hmm4j", "none", "none", DeviceInfo.Kind.OTHER, ByteSize.gib(1),
            ByteSize.gib(1), ALIGNMENT_BYTES, 1, 1, 0, false, false, Set.of());
    }

    @Override
    public DeviceMemory allocate(long lengthBytes) {
        return new Memory(lengthBytes);
    }

    @Override
    public CopyEngine copyEngine(long hostAddressBytes, long lengthBytes) {
        return new Copies();
    }

    @Override
    public DeviceProgram build(Source source, String options) {
        return new Program();
    }

    @Override
    public void close() {
        // it has nothing
    }

    private record Memory(long lengthBytes) implements DeviceMemory {
        @Override
        public DeviceMemory slice(long offsetBytes, long sliceBytes) {
            return new Memory(sliceBytes);
        }

        @Override
        public void close() {
            // there is none
        }
    }

    private static final class Copies implements CopyEngine {
        @Override
        public String name() {
            return "none";
        }

        @Override
        public Completion toDevice(List<CopyRun> batch) {
            return Completion.DONE;
        }

        @Override
        public Completion toHost(List<CopyRun> batch) {
            return Completion.DONE;
        }

        @Override
        public Completion onDevice(DeviceMemory source, long sourceOffsetBytes, DeviceMemory target,
            long targetOffsetBytes, long lengthBytes) {
            return Completion.DONE;
        }

        @Override
        public Completion zero(DeviceMemory memory, long offsetBytes, long lengthBytes) {
            return Completion.DONE;
        }

        @Override
        public void close() {
            // nothing is under way
        }
    }

    private static final class Program implements DeviceProgram {
        @Override
        public List<String> kernelNames() {
            return List.of();
        }

        @Override
        public DeviceKernel kernel(String name) {
            return new Kernel(name, IntStream.range(0, PARAMETERS).mapToObj(index ->
                new KernelParameter(index, "p" + index, "int*", KernelParameter.Space.GLOBAL, false)).toList());
        }

        @Override
        public void close() {
            // nothing was compiled
        }
    }

    private record Kernel(String name, List<KernelParameter> parameters) implements DeviceKernel {
        @Override
        public KernelLimits limits() {
            return NO_LIMITS;
        }

        @Override
        public Completion launch(List<KernelArgument> arguments, NDRange range) {
            return Completion.DONE;
        }

        @Override
        public void close() {
            // nothing was compiled
        }
    }
}
