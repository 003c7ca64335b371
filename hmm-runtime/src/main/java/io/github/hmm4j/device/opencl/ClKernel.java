package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.device.KernelArgument;
import io.github.hmm4j.device.KernelLimits;
import io.github.hmm4j.device.KernelParameter;
import io.github.hmm4j.device.KernelParameter.Space;
import io.github.hmm4j.device.LostWrites;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.NativeEnqueue;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.KernelEnqueuedError;
import io.github.hmm4j.error.OpenClFailedException;
import io.github.hmm4j.timeline.CommandEvent;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// A `cl_kernel`. Its arguments are state of the driver's object, so a launch sets them all and enqueues under one
/// lock.
final class ClKernel extends Owned implements DeviceKernel {

    private static final int SCRATCH_BYTES = 256;

    private final ClApi api;
    private final long program;
    private final String name;
    private final boolean smallerGroups;
    private final @Nullable List<KernelParameter> known;
    private final DeclaredConst declared;
    private long handle;
    private List<KernelParameter> parameters = List.of();
    private @Nullable KernelLimits limits;
    /// Where values are copied to, because they may lie on the heap.
    private MemorySegment scratch = Arena.ofAuto().allocate(SCRATCH_BYTES);
    private boolean followsSystemPointers;

    /// @param smallerGroups as in [KernelLimits]
    /// @param known         its parameters, if the driver need not know them
    /// @param declared      what its source says of them, if they are not known
    ClKernel(ClDevice device, long program, String name, boolean smallerGroups, @Nullable List<KernelParameter> known, DeclaredConst declared) {
        super(device);
        this.api = device.api();
        this.program = program;
        this.name = name;
        this.smallerGroups = smallerGroups;
        this.known = known;
        this.declared = declared;
    }

    @Override
    void make() {
        handle = api.createKernel(program, name);
        parameters = known == null ? declared.restored(name, parameters(api, handle), device) : known;
        limits = limits(device, handle, smallerGroups);
    }

    private static List<KernelParameter> parameters(ClApi api, long kernel) {
        return IntStream.range(0, api.parameterCount(kernel)).mapToObj(index -> parameter(api, kernel, index)).toList();
    }

    private static KernelParameter parameter(ClApi api, long kernel, int index) {
        String typeName = api.parameterText(kernel, index, Cl.KERNEL_ARG_TYPE_NAME);
        long qualifiers = api.parameterNumber(kernel, index, Cl.KERNEL_ARG_TYPE_QUALIFIER);
        // The address space of images and pipes is said to be that of memory, and their types may go by other names. Only they have an access qualifier.
        boolean isObject = api.parameterNumber(kernel, index, Cl.KERNEL_ARG_ACCESS_QUALIFIER) != Cl.KERNEL_ARG_ACCESS_NONE
                || (qualifiers & Cl.KERNEL_ARG_TYPE_PIPE) != 0 || KernelParameter.isObject(typeName);
        Space space = isObject ? Space.OBJECT : space(api.parameterNumber(kernel, index, Cl.KERNEL_ARG_ADDRESS_QUALIFIER), index);
        boolean isConst = (qualifiers & Cl.KERNEL_ARG_TYPE_CONST) != 0;
        return new KernelParameter(index, api.parameterText(kernel, index, Cl.KERNEL_ARG_NAME), typeName, space, isConst || space == Space.CONSTANT);
    }

    private static Space space(long address, int index) {
        return switch ((int) address) {
            case Cl.KERNEL_ARG_ADDRESS_GLOBAL -> Space.GLOBAL;
            case Cl.KERNEL_ARG_ADDRESS_CONSTANT -> Space.CONSTANT;
            case Cl.KERNEL_ARG_ADDRESS_LOCAL -> Space.LOCAL;
            case Cl.KERNEL_ARG_ADDRESS_PRIVATE -> Space.PRIVATE;
            default -> throw new IllegalStateException(String.format(Locale.ROOT, "addressQualifier=0x%x, index=%d",
                    address, index));
        };
    }

    /// Asked before any argument is set: some drivers add local arguments to what the kernel declares itself.
    private static KernelLimits limits(ClDevice of, long kernel, boolean smallerGroups) {
        ClApi api = of.api();
        long device = of.handle();
        List<Long> required = sizes(api.kernelBytes(kernel, device, Cl.KERNEL_COMPILE_WORK_GROUP_SIZE));
        // Of a kernel it says the width of a subgroup where its largest work-group is asked for, and twice the local memory that it declares; it takes what the device has.
        boolean wrongAboutKernels = of.platformName().equals("rusticl");
        return new KernelLimits(
                wrongAboutKernels ? api.deviceNumber(device, Cl.DEVICE_MAX_WORK_GROUP_SIZE) : api.kernelNumber(kernel, device, Cl.KERNEL_WORK_GROUP_SIZE),
                sizes(api.deviceBytes(device, Cl.DEVICE_MAX_WORK_ITEM_SIZES)),
                required.contains(0L) ? List.of() : required,
                wrongAboutKernels ? 0 : api.kernelNumber(kernel, device, Cl.KERNEL_LOCAL_MEM_SIZE),
                api.deviceNumber(device, Cl.DEVICE_LOCAL_MEM_SIZE),
                Math.max(1, api.kernelNumber(kernel, device, Cl.KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE)),
                smallerGroups);
    }

    private static List<Long> sizes(byte[] bytes) {
        LongBuffer sizes = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).asLongBuffer();
        return IntStream.range(0, sizes.limit()).mapToObj(sizes::get).toList();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public List<KernelParameter> parameters() {
        return parameters;
    }

    @Override
    public KernelLimits limits() {
        return Objects.requireNonNull(limits);
    }

    @Override
    public Completion launch(List<KernelArgument> arguments, NDRange range) {
        return Objects.requireNonNull(enqueue(arguments, range, false, this::enqueueHere), "a driver refuses by an error only");
    }

    @Override
    public @Nullable Completion launch(List<KernelArgument> arguments, NDRange range, NativeEnqueue enqueue) {
        return enqueue(arguments, range, true, (queue, offset, global, local, enqueued) -> {
            long event = enqueue.enqueue(queue, handle, offset, global, local, enqueued.copies, enqueued.lost);
            if (event != 0) {
                enqueued.add(event);
            }
        });
    }

    /// Puts the kernel on the queue, with the copies of its arguments around it. If it throws, nothing is in flight.
    private void enqueueHere(long queue, long[] offset, long[] global, long[] local, Enqueued enqueued) {
        List<KernelArgument.Copied> copies = enqueued.copies;
        try {
            for (int i = 0; i < copies.size(); i++) {
                copyArgument(queue, copies.get(i), false, false);
            }
            enqueued.add(api.enqueueKernel(queue, handle, offset, global, local));
        } catch (RuntimeException e) {
            if (!copies.isEmpty()) {
                new Cleanup(e).run(device.compute()::finish); // the copies read what is nobody's launch's from now on
            }
            throw e;
        }
        try {
            for (int i = 0; i < copies.size(); i++) {
                if (copies.get(i).writes()) {
                    enqueued.add(copyArgument(queue, copies.get(i), true, true));
                }
            }
        } catch (RuntimeException | OutOfMemoryError e) { // the kernel runs all the same
            enqueued.lost.lose(e);
        }
    }

    private long copyArgument(long queue, KernelArgument.Copied copy, boolean back, boolean event) {
        long own = ((ClMemory) copy.copy()).handle();
        long lengthBytes = copy.copy().lengthBytes();
        if (copy.from() instanceof ClHostPointer host) {
            long address = host.addressBytes() + copy.offsetBytes();
            return back ? api.enqueueRead(queue, own, 0, lengthBytes, address, event) : api.enqueueWrite(queue, own, 0, lengthBytes, address, event);
        }
        long frames = ((ClMemory) copy.from()).handle();
        return back ? api.enqueueCopy(queue, own, frames, 0, copy.offsetBytes(), lengthBytes, event)
                : api.enqueueCopy(queue, frames, own, copy.offsetBytes(), 0, lengthBytes, event);
    }

    /// Like [NativeEnqueue], with all events that the outcome depends on.
    @FunctionalInterface
    private interface Commands {
        void enqueue(long queue, long[] offset, long[] global, long[] local, Enqueued enqueued);
    }

    /// What has become of a launch's commands: no event if it did not happen.
    private static final class Enqueued {

        private final List<KernelArgument.Copied> copies;
        private final long[] events;
        private int count;
        private final LostWrites lost;

        /// Has room for the kernel and the copies back, so that noting them takes no memory.
        Enqueued(List<KernelArgument.Copied> copies, LostWrites lost) {
            this.copies = copies;
            this.lost = lost;
            events = new long[copies.size() + 1];
        }

        void add(long event) {
            events[count] = event;
            count++;
        }
    }

    private static HmmException lost(Throwable why, String detail) {
        return why instanceof HmmException failed ? ClStatus.retold(failed, detail)
                : ClStatus.failure(ClStatus.OUT_OF_HOST_MEMORY, "clEnqueueCopyBuffer", detail);
    }

    /// @param flushes whether `commands` flushes the queue
    private @Nullable Completion enqueue(List<KernelArgument> arguments, NDRange range, boolean flushes, Commands commands) {
        if (arguments.size() != parameters.size()) {
            throw new IllegalArgumentException("kernel=" + name + ", arguments=" + arguments.size()
                    + ", must be " + parameters.size() + ": " + parameters.stream().map(ClKernel::signature).toList());
        }
        limits().require(name, range, KernelLimits.localBytesOf(arguments));
        synchronized (this) {
            if (isClosed()) {
                throw new IllegalStateException("kernel is closed, kernel=" + name);
            }
            for (int i = 0; i < arguments.size(); i++) {
                set(parameters.get(i), arguments.get(i));
            }
            ClQueue queue = device.compute();
            queue.share();
            try {
                return enqueue(queue, arguments, range, flushes, commands);
            } finally {
                queue.unshare();
            }
        }
    }

    private @Nullable Completion enqueue(ClQueue queue, List<KernelArgument> arguments, NDRange range, boolean flushes, Commands commands) {
        long mark = queue.mark();
        Supplier<String> detail = () -> "kernel=" + name + ", range=" + range + ", device=" + device;
        Enqueued enqueued = new Enqueued(copiesAmong(arguments), new LostWrites(why -> lost(why, detail.get())));
        try {
            commands.enqueue(queue.handle(), range.offset(), range.global(), limits().groupOf(range), enqueued);
        } catch (HmmException e) { // what enqueues knows a handle only
            throw device.named(ClStatus.retold(e, detail.get()));
        } catch (OutOfMemoryError e) {
            queue.finishSurely(); // what was enqueued is known to nobody
            queue.release(enqueued.events, enqueued.count);
            throw enqueued.count == 0 ? e : KernelEnqueuedError.get();
        }
        return enqueued.count == 0 ? null : submit(queue, enqueued, detail, mark, flushes);
    }

    /// Each once.
    private static List<KernelArgument.Copied> copiesAmong(List<KernelArgument> arguments) {
        List<KernelArgument.Copied> copies = List.of();
        for (KernelArgument argument : arguments) {
            if (argument instanceof KernelArgument.Copied copy && !copies.contains(copy)) {
                copies = copies.isEmpty() ? new ArrayList<>() : copies;
                copies.add(copy);
            }
        }
        return copies;
    }

    /// The kernel is enqueued, whatever happens here.
    private Completion submit(ClQueue queue, Enqueued enqueued, Supplier<String> detail, long mark, boolean flushed) {
        try {
            return enqueued.lost.of(flushed
                    ? queue.submitFlushed(enqueued.events[0], "clEnqueueNDRangeKernel", detail, mark, name)
                    : enqueued.count == 1 ? queue.submit(enqueued.events[0], "clEnqueueNDRangeKernel", detail, mark, CommandEvent.Kind.KERNEL, name, 0)
                    : queue.submit(enqueued.events, enqueued.count, "clEnqueueNDRangeKernel", detail));
        } catch (OutOfMemoryError _) {
            queue.finishSurely();
            if (enqueued.lost.isLost()) {
                return enqueued.lost;
            }
            throw KernelEnqueuedError.get();
        }
    }

    @Override
    void release() {
        if (handle != 0) {
            api.releaseKernel(handle);
        }
    }

    private void set(KernelParameter parameter, KernelArgument argument) {
        switch (argument) {
            case KernelArgument.Memory(ClHostPointer host) when parameter.isMemory() && host.device() == device -> setPointer(parameter, host);
            case KernelArgument.Memory(ClTableMemory shared) when parameter.isMemory() && shared.device() == device ->
                api.setSvmPointer(handle, parameter.index(), shared.addressBytes());
            case KernelArgument.Memory(var memory) when parameter.isMemory() -> {
                if (!(memory instanceof ClMemory ours) || ours.device() != device) {
                    throw wrong(parameter, "takes memory of " + device + ", got " + memory);
                }
                api.setMemory(handle, parameter.index(), ours.handle());
            }
            case KernelArgument.NullPointer() when parameter.isMemory() -> api.setMemory(handle, parameter.index(), 0);
            case KernelArgument.Copied(var from, _, var copy, _) when parameter.isMemory() -> {
                if (!isOurs(from) || !(copy instanceof ClMemory own)) {
                    throw wrong(parameter, "takes memory of " + device + ", got " + from);
                }
                api.setMemory(handle, parameter.index(), own.handle());
            }
            case KernelArgument.Value(var bytes) when parameter.space() == Space.PRIVATE -> setValue(parameter, bytes);
            case KernelArgument.Local(long lengthBytes) when parameter.space() == Space.LOCAL ->
                api.setLocal(handle, parameter.index(), lengthBytes);
            default -> throw wrong(parameter, "takes " + kindFor(parameter) + ", got " + argument);
        }
    }

    private boolean isOurs(DeviceMemory memory) {
        return (memory instanceof ClMemory ours && ours.device() == device) || (memory instanceof ClHostPointer host && host.device() == device);
    }

    private void setPointer(KernelParameter parameter, ClHostPointer host) {
        if (host.system() && !followsSystemPointers && device.info().svm().contains(DeviceInfo.Svm.FINE_GRAIN_SYSTEM)) {
            api.letFollowSystemPointers(handle);
            followsSystemPointers = true;
        }
        api.setSvmPointer(handle, parameter.index(), host.addressBytes());
    }

    private void setValue(KernelParameter parameter, MemorySegment bytes) {
        if (parameter.valueType().map(type -> type.bytes() != bytes.byteSize()).orElse(false)) { // drivers let some sizes pass that are too small
            throw wrong(parameter, "cannot take a value of valueBytes=" + bytes.byteSize());
        }
        if (scratch.byteSize() < bytes.byteSize()) {
            scratch = Arena.ofAuto().allocate(bytes.byteSize());
        }
        MemorySegment.copy(bytes, 0, scratch, 0, bytes.byteSize());
        try {
            api.setValue(handle, parameter.index(), scratch.asSlice(0, bytes.byteSize()));
        } catch (OpenClFailedException e) {
            if (e.status() == ClStatus.INVALID_ARG_SIZE) {
                var wrong = wrong(parameter, "cannot take a value of valueBytes=" + bytes.byteSize()
                        + ", its type has another size on the device (padding?)");
                wrong.initCause(e);
                throw wrong;
            }
            throw e;
        }
    }

    private IllegalArgumentException wrong(KernelParameter parameter, String what) {
        return new IllegalArgumentException(
                String.format(Locale.ROOT, "kernel=%s, index=%d, parameter=%s: %s",
                        name, parameter.index(), signature(parameter), what));
    }

    private static String kindFor(KernelParameter parameter) {
        return switch (parameter.space()) {
            case GLOBAL, CONSTANT -> "device memory";
            case LOCAL -> "a size of local memory";
            case PRIVATE -> "a value";
            case OBJECT -> "nothing that can be passed here";
        };
    }

    private static String signature(KernelParameter parameter) {
        return parameter.typeName() + " " + parameter.name();
    }
}
