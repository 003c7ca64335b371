package io.github.hmm4j.device.sim;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.device.KernelArgument;
import io.github.hmm4j.device.KernelLimits;
import io.github.hmm4j.device.KernelParameter;
import io.github.hmm4j.device.KernelParameter.Space;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.ValueType;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.timeline.CommandEvent;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/// One kernel of a simulated device.
final class SimKernel implements DeviceKernel {

    /// Local memory of a work-group, as much as OpenCL demands of every device.
    static final long LOCAL_BYTES = 32 << 10;

    private final SimDevice device;
    private final SimKernels.Entry entry;
    private final KernelLimits limits;
    private final AtomicBoolean closed = new AtomicBoolean();

    SimKernel(SimDevice device, SimKernels.Entry entry) {
        this.device = device;
        this.entry = entry;
        long items = device.info().maxWorkGroupSize();
        limits = new KernelLimits(items, List.of(items, items, items), entry.requiredGroup(), 0, LOCAL_BYTES, 1, false);
    }

    @Override
    public String name() {
        return entry.name();
    }

    @Override
    public List<KernelParameter> parameters() {
        return entry.parameters();
    }

    @Override
    public KernelLimits limits() {
        return limits;
    }

    @Override
    public Completion launch(List<KernelArgument> arguments, NDRange range) {
        if (closed.get()) {
            throw new IllegalStateException("kernel=" + name() + " is closed");
        }
        if (arguments.size() != parameters().size()) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "kernel=%s, arguments=%d, parameters=%d",
                    name(), arguments.size(), parameters().size()));
        }
        limits.require(name(), range, KernelLimits.localBytesOf(arguments));
        List<MemorySegment> segments = new ArrayList<>(arguments.size());
        List<SimMemory> memories = new ArrayList<>();
        List<SimMemory> written = new ArrayList<>();
        for (KernelParameter parameter : parameters()) {
            KernelArgument argument = arguments.get(parameter.index());
            segments.add(segment(parameter, argument));
            if (argument instanceof KernelArgument.Memory(var memory)) {
                SimMemory ours = device.own(memory, where(parameter));
                memories.add(ours);
                if (!parameter.isConst()) {
                    written.add(ours);
                }
            }
        }
        device.enterOrFail(Operation.LAUNCH, "kernel=" + name() + ", range=" + range);
        retain(memories);
        boolean doomed = device.endIsDoomed();
        try {
            SimArguments all = new SimArguments(List.copyOf(segments));
            return device.lane(SimLane.COMPUTE)
                    .submit(new LaneQueue.Task(CommandEvent.Kind.KERNEL, name(), 0), () -> run(all, range, memories, written, doomed));
        } catch (IllegalStateException closedMeanwhile) {
            memories.forEach(SimMemory::release);
            throw closedMeanwhile;
        }
    }

    private static void retain(List<SimMemory> memories) {
        int retained = 0;
        try {
            for (SimMemory memory : memories) {
                memory.retain();
                retained++;
            }
        } finally {
            if (retained < memories.size()) {
                memories.subList(0, retained).forEach(SimMemory::release);
            }
        }
    }

    private MemorySegment segment(KernelParameter parameter, KernelArgument argument) {
        return switch (argument) {
            case KernelArgument.Memory(var memory) when parameter.isMemory() -> {
                MemorySegment all = device.own(memory, where(parameter)).segment();
                yield parameter.isConst() ? all.asReadOnly() : all;
            }
            case KernelArgument.NullPointer() when parameter.isMemory() -> MemorySegment.NULL;
            case KernelArgument.Value(var bytes) when parameter.space() == Space.PRIVATE -> {
                long expected = parameter.valueType().map(ValueType::bytes).map(Integer::longValue).orElse(bytes.byteSize()); // a struct is taken as it comes
                if (expected != bytes.byteSize()) {
                    throw new IllegalArgumentException(String.format(Locale.ROOT, "%s, valueBytes=%d, expected=%s",
                            where(parameter), bytes.byteSize(), expected));
                }
                yield MemorySegment.ofArray(bytes.toArray(ValueLayout.JAVA_BYTE)).asReadOnly();
            }
            case KernelArgument.Local(long lengthBytes) when parameter.space() == Space.LOCAL ->
                MemorySegment.ofArray(new long[Math.toIntExact(Math.ceilDiv(lengthBytes, 8))]).asSlice(0, lengthBytes);
            default -> throw new IllegalArgumentException("%s, space=%s, argument=%s: not what it takes"
                    .formatted(where(parameter), parameter.space(), argument.getClass().getSimpleName()));
        };
    }

    // A launch that is doomed runs all the same: a kernel that fails at its end has written what it wanted to write.
    private @Nullable HmmException run(
            SimArguments arguments, NDRange range, List<SimMemory> memories, List<SimMemory> written, boolean doomed) {
        try {
            if (device.isLost()) {
                return device.lostAt(Operation.LAUNCH);
            }
            HmmException failure = runBody(arguments, range);
            for (SimMemory memory : written) {
                memory.markDefined(memory.startBytes(), memory.lengthBytes(), true);
            }
            if (failure == null && doomed) {
                failure = Operation.WAIT.failure(device.detail("after=LAUNCH, kernel=" + name()));
            }
            return failure;
        } finally {
            memories.forEach(SimMemory::release);
        }
    }

    @SuppressWarnings("CatchingUnchecked")
    private @Nullable HmmException runBody(SimArguments arguments, NDRange range) {
        try {
            entry.body().run(arguments, range);
            return null;
        } catch (Throwable thrown) {    // a failed assertion in a kernel too must end the launch, not the lane
            HmmException failure = Operation.LAUNCH.failure(
                    device.detail("kernel=" + name() + ", range=" + range + ", thrown=" + thrown));
            failure.addSuppressed(thrown);
            return failure;
        }
    }

    private String where(KernelParameter parameter) {
        return String.format(Locale.ROOT, "kernel=%s, parameter=%d %s %s",
                name(), parameter.index(), parameter.typeName(), parameter.name());
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            device.closedObject();
        }
    }
}
