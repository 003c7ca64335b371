package io.github.hmm4j.device.opencl.jocl;

import static io.github.hmm4j.device.opencl.ClStatus.SUCCESS;

import io.github.hmm4j.device.opencl.ClAdvice;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.opencl.ClStatus;
import io.github.hmm4j.device.opencl.OneLoadsAtATime;
import io.github.hmm4j.device.opencl.ProgramBinaries;
import io.github.hmm4j.device.opencl.SvmSupport;
import io.github.hmm4j.error.NoDeviceException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import org.jocl.CL;
import org.jocl.CLException;
import org.jocl.NativePointerObject;
import org.jocl.Pointer;
import org.jocl.Sizeof;
import org.jocl.cl_buffer_region;
import org.jocl.cl_command_queue;
import org.jocl.cl_context;
import org.jocl.cl_context_properties;
import org.jocl.cl_device_id;
import org.jocl.cl_event;
import org.jocl.cl_kernel;
import org.jocl.cl_mem;
import org.jocl.cl_platform_id;
import org.jocl.cl_program;
import org.jspecify.annotations.Nullable;

/// OpenCL through JOCL.
///
/// JOCL wants its own objects, so those it made are kept by handle until they are released. It either returns a status
/// or throws it, as the application has set for the whole process; both are understood and the setting is left alone.
/// Two calls go around it, because it would lose what they return ([RawCalls]).
/// Data is never passed in arrays: JOCL would pin the heap during the call, or lose what the driver wrote.
public final class JoclClApi implements ClApi {

    /// As the headers have it: JOCL's own constant has all 64 bits set, and some drivers find no device of that type.
    private static final long DEVICE_TYPE_ALL = 0xFFFFFFFFL;

    private final Handles<cl_platform_id> platforms = new Handles<>("platform");
    private final Handles<cl_device_id> devices = new Handles<>("device");
    private final Handles<cl_context> contexts = new Handles<>("context");
    private final Map<Long, AtomicInteger> contextReferences = new ConcurrentHashMap<>();
    private final Handles<cl_command_queue> queues = new Handles<>("queue");
    private final Handles<cl_mem> memories = new Handles<>("memory");
    private final Handles<cl_program> programs = new Handles<>("program");
    private final Handles<cl_kernel> kernels = new Handles<>("kernel");

    private final RawCalls raw = RawCalls.load();
    private final SvmSupport svm = new SvmSupport(this);

    private JoclClApi() {}

    /// Loads JOCL's native part and the OpenCL library.
    ///
    /// @throws NoDeviceException if one of them is missing
    public static JoclClApi load() {
        try {
            // The first call loads both. That there is no platform is not its business.
            OneLoadsAtATime.load(() -> StatusCall.status(() -> CL.clGetPlatformIDs(0, null, new int[1])));
            return new JoclClApi();
        } catch (LinkageError | UnsupportedOperationException e) {
            throw ClAdvice.noLibrary(ClBinding.JOCL, e);
        }
    }

    /// Makes a context of the application usable by its handle, which is returned. The application keeps it alive for
    /// as long as it opens devices over it.
    public long adopt(cl_context context) {
        // One reference stands for the application's own, so that the object is still known after our last release.
        contextReferences.computeIfAbsent(context.getNativePointer(), _ -> new AtomicInteger(1));
        return contexts.keep(context);
    }

    /// Makes a device of the application usable by its handle, which is returned, and its platform with it.
    public long adopt(cl_device_id device) {
        platforms();
        return devices.keep(device);
    }

    @Override
    public ClBinding binding() {
        return ClBinding.JOCL;
    }

    @Override
    public long[] platforms() {
        int[] count = new int[1];
        int status = StatusCall.status(() -> CL.clGetPlatformIDs(0, null, count));
        if (status == ClStatus.PLATFORM_NOT_FOUND_KHR || (status == SUCCESS && count[0] == 0)) {
            return new long[0];
        }
        ClStatus.check(status, "clGetPlatformIDs", null);
        var ids = new cl_platform_id[count[0]];
        check(() -> CL.clGetPlatformIDs(ids.length, ids, null), "clGetPlatformIDs", "count", ids.length);
        return Arrays.stream(ids).mapToLong(platforms::keep).toArray();
    }

    @Override
    public String platformText(long platform, int name) {
        cl_platform_id id = platforms.get(platform);
        return InfoCall.text("clGetPlatformInfo", name, (capacity, answer, length) ->
                CL.clGetPlatformInfo(id, name, capacity, answer, length));
    }

    @Override
    public long[] devices(long platform) {
        cl_platform_id id = platforms.get(platform);
        int[] count = new int[1];
        int status = StatusCall.status(() -> CL.clGetDeviceIDs(id, DEVICE_TYPE_ALL, 0, null, count));
        if (status == ClStatus.DEVICE_NOT_FOUND || (status == SUCCESS && count[0] == 0)) {
            return new long[0];
        }
        ClStatus.check(status, "clGetDeviceIDs", null);
        var ids = new cl_device_id[count[0]];
        check(() -> CL.clGetDeviceIDs(id, DEVICE_TYPE_ALL, ids.length, ids, null), "clGetDeviceIDs", "count",
                ids.length);
        return Arrays.stream(ids).mapToLong(devices::keep).toArray();
    }

    @Override
    public String deviceText(long device, int name) {
        cl_device_id id = devices.get(device);
        return InfoCall.text("clGetDeviceInfo", name, (capacity, answer, length) ->
                CL.clGetDeviceInfo(id, name, capacity, answer, length));
    }

    @Override
    public long deviceNumber(long device, int name) {
        cl_device_id id = devices.get(device);
        return InfoCall.number("clGetDeviceInfo", name, (capacity, answer, length) ->
                CL.clGetDeviceInfo(id, name, capacity, answer, length));
    }

    @Override
    public byte[] deviceBytes(long device, int name) {
        cl_device_id id = devices.get(device);
        return InfoCall.bytes("clGetDeviceInfo", name, (capacity, answer, length) ->
                CL.clGetDeviceInfo(id, name, capacity, answer, length));
    }

    @Override
    public long createContext(long platform, long... deviceHandles) {
        var properties = new cl_context_properties();
        properties.addProperty(CL.CL_CONTEXT_PLATFORM, platforms.get(platform));
        cl_device_id[] ids = Arrays.stream(deviceHandles).mapToObj(devices::get).toArray(cl_device_id[]::new);
        cl_context context = create(status -> CL.clCreateContext(properties, ids.length, ids, null, null, status),
                "clCreateContext", "devices", ids.length);
        contextReferences.put(context.getNativePointer(), new AtomicInteger(1));
        return contexts.keep(context);
    }

    @Override
    public void retainContext(long context) {
        cl_context object = contexts.get(context);
        check(() -> CL.clRetainContext(object), "clRetainContext", "context", context);
        references(context).incrementAndGet();
    }

    @Override
    public void releaseContext(long context) {
        cl_context object = contexts.get(context);
        if (references(context).decrementAndGet() == 0) {
            contexts.remove(context);
            contextReferences.remove(context);
        }
        check(() -> CL.clReleaseContext(object), "clReleaseContext", "context", context);
    }

    @Override
    public long createQueue(long context, long device, boolean profiling) {
        cl_context owner = contexts.get(context);
        cl_device_id id = devices.get(device);
        long properties = profiling ? CL.CL_QUEUE_PROFILING_ENABLE : 0;
        return queues.keep(create(status -> createQueue(owner, id, properties, status), "clCreateCommandQueue",
                "properties", properties));
    }

    /// The call of OpenCL 1.x, which every later driver has too.
    @SuppressWarnings("deprecation")
    private static cl_command_queue createQueue(cl_context context, cl_device_id device, long properties,
            int[] status) {
        return CL.clCreateCommandQueue(context, device, properties, status);
    }

    @Override
    public void flush(long queue) {
        cl_command_queue object = queues.get(queue);
        check(() -> CL.clFlush(object), "clFlush", "queue", queue);
    }

    @Override
    public long enqueueMarker(long queue) {
        cl_command_queue object = queues.get(queue);
        return enqueue(true, "clEnqueueMarkerWithWaitList", 0, out -> CL.clEnqueueMarkerWithWaitList(object, 0, null, out));
    }

    @Override
    public void enqueueWait(long queue, long event) {
        cl_command_queue object = queues.get(queue);
        var one = new cl_event[] {event(event)};
        ClStatus.check(StatusCall.status(() -> CL.clEnqueueBarrierWithWaitList(object, 1, one, null)), "clEnqueueBarrierWithWaitList", null);
    }

    @Override
    public void finish(long queue) {
        cl_command_queue object = queues.get(queue);
        long marker = marker(object);
        try {
            check(() -> CL.clFinish(object), "clFinish", "queue", queue);
            if (marker != 0) {
                waitFor(marker);
            }
        } finally {
            if (marker != 0) {
                releaseEvent(marker);
            }
        }
    }

    /// 0 where the driver refuses it: `clFinish` then says what is wrong, or waits as it should.
    private static long marker(cl_command_queue queue) {
        cl_event event = new cl_event();
        return StatusCall.status(() -> CL.clEnqueueMarkerWithWaitList(queue, 0, null, event)) == SUCCESS ? event.getNativePointer() : 0;
    }

    @Override
    public void releaseQueue(long queue) {
        release(queues, queue, CL::clReleaseCommandQueue, "clReleaseCommandQueue");
    }

    @Override
    public long createBuffer(long context, long flags, long lengthBytes, long hostAddressBytes) {
        cl_context owner = contexts.get(context);
        Pointer host = hostAddressBytes == 0 ? null : pointer(hostAddressBytes);
        return memories.keep(create(
                status -> CL.clCreateBuffer(owner, flags, lengthBytes, host, status),
                "clCreateBuffer", "bytes", lengthBytes));
    }

    @Override
    public long createSubBuffer(long buffer, long offsetBytes, long lengthBytes) {
        cl_mem parent = memories.get(buffer);
        var region = new cl_buffer_region(offsetBytes, lengthBytes);
        return memories.keep(create(
                status -> CL.clCreateSubBuffer(parent, CL.CL_MEM_READ_WRITE, CL.CL_BUFFER_CREATE_TYPE_REGION, region,
                        status),
                "clCreateSubBuffer", "offset=" + offsetBytes + ", bytes", lengthBytes));
    }

    @Override
    public void releaseMemory(long memory) {
        release(memories, memory, CL::clReleaseMemObject, "clReleaseMemObject");
    }

    @Override
    public long enqueueCopy(long queue, long source, long target, long sourceOffset, long targetOffset,
            long lengthBytes, boolean event) {
        cl_command_queue object = queues.get(queue);
        cl_mem from = memories.get(source);
        cl_mem to = memories.get(target);
        return enqueue(event, "clEnqueueCopyBuffer", lengthBytes,
                out -> CL.clEnqueueCopyBuffer(object, from, to, sourceOffset, targetOffset, lengthBytes, 0, null, out));
    }

    @Override
    public long enqueueZero(long queue, long memory, int patternBytes, long offsetBytes, long lengthBytes,
            boolean event) {
        cl_command_queue object = queues.get(queue);
        cl_mem target = memories.get(memory);
        Pointer pattern = Pointer.to(ByteBuffer.allocateDirect(patternBytes));
        return enqueue(event, "clEnqueueFillBuffer", lengthBytes,
                out -> CL.clEnqueueFillBuffer(object, target, pattern, patternBytes, offsetBytes, lengthBytes, 0, null,
                        out));
    }

    @Override
    public long enqueueWrite(long queue, long memory, long offsetBytes, long lengthBytes, long hostAddressBytes,
            boolean event) {
        return raw.write(queues.get(queue).getNativePointer(), memories.get(memory).getNativePointer(), offsetBytes, lengthBytes, hostAddressBytes, event);
    }

    @Override
    public long enqueueRead(long queue, long memory, long offsetBytes, long lengthBytes, long hostAddressBytes,
            boolean event) {
        return raw.read(queues.get(queue).getNativePointer(), memories.get(memory).getNativePointer(), offsetBytes, lengthBytes, hostAddressBytes, event);
    }

    @Override
    public long map(long queue, long memory, long flags, long offsetBytes, long lengthBytes) {
        return raw.map(queues.get(queue).getNativePointer(), memories.get(memory).getNativePointer(), flags, offsetBytes,
                lengthBytes, null);
    }

    @Override
    public long enqueueMap(long queue, long memory, long flags, long offsetBytes, long lengthBytes, long[] addressBytes) {
        long[] event = new long[1];
        addressBytes[0] = raw.map(queues.get(queue).getNativePointer(), memories.get(memory).getNativePointer(), flags, offsetBytes,
                lengthBytes, event);
        return event[0];
    }

    @Override
    public long enqueueUnmap(long queue, long memory, long addressBytes, boolean event) {
        return raw.unmap(queues.get(queue).getNativePointer(), memories.get(memory).getNativePointer(), addressBytes, event);
    }

    @Override
    public long svmAllocate(long context, long flags, long lengthBytes, int alignmentBytes) {
        svm.require("clSVMAlloc", raw.hasSvm(), () -> deviceOfContext(context));
        long address = raw.svmAllocate(contexts.get(context).getNativePointer(), flags, lengthBytes, alignmentBytes);
        return SvmSupport.allocated(address, flags, lengthBytes, alignmentBytes);
    }

    @Override
    public void svmFree(long context, long addressBytes) {
        svm.require("clSVMFree", raw.hasSvm(), () -> deviceOfContext(context));
        CL.clSVMFree(contexts.get(context), sharedPointer(addressBytes));
    }

    @Override
    public void svmMap(long queue, long flags, long addressBytes, long lengthBytes) {
        svm.require("clEnqueueSVMMap", raw.hasSvm(), () -> deviceOfQueue(queue));
        cl_command_queue object = queues.get(queue);
        check(() -> CL.clEnqueueSVMMap(object, true, flags, sharedPointer(addressBytes), lengthBytes, 0, null, null),
                "clEnqueueSVMMap", "bytes", lengthBytes);
    }

    @Override
    public void enqueueSvmUnmap(long queue, long addressBytes) {
        svm.require("clEnqueueSVMUnmap", raw.hasSvm(), () -> deviceOfQueue(queue));
        cl_command_queue object = queues.get(queue);
        check(() -> CL.clEnqueueSVMUnmap(object, sharedPointer(addressBytes), 0, null, null),
                "clEnqueueSVMUnmap", "address", addressBytes);
    }

    @Override
    public long createProgram(long context, String text) {
        cl_context owner = contexts.get(context);
        return programs.keep(create(status -> CL.clCreateProgramWithSource(owner, 1, new String[] {text}, null, status),
                "clCreateProgramWithSource", "chars", text.length()));
    }

    @Override
    public long createProgramOfBinary(long context, long device, byte[] binary) {
        cl_context owner = contexts.get(context);
        var ids = new cl_device_id[] {devices.get(device)};
        int[] taken = new int[1];
        return programs.keep(create(
                status -> CL.clCreateProgramWithBinary(owner, 1, ids, new long[] {binary.length}, new byte[][] {binary},
                        taken, status),
                "clCreateProgramWithBinary", "bytes", binary.length));
    }

    @Override
    public byte[] programBinary(long program, long device) {
        cl_program object = programs.get(program);
        return ProgramBinaries.of(device,
                name -> InfoCall.bytes("clGetProgramInfo", name, (capacity, answer, length) ->
                        CL.clGetProgramInfo(object, name, capacity, answer, length)),
                (name, pointers) -> StatusCall.status(() -> CL.clGetProgramInfo(
                        object, name, pointers.byteSize(), Pointer.to(pointers.asByteBuffer()), null)));
    }

    @Override
    public boolean build(long program, long device, String options) {
        cl_program object = programs.get(program);
        var ids = new cl_device_id[] {devices.get(device)};
        int status = StatusCall.status(() -> CL.clBuildProgram(object, 1, ids, options, null, null));
        if (status != ClStatus.BUILD_PROGRAM_FAILURE && status != ClStatus.INVALID_BUILD_OPTIONS) {
            ClStatus.check(status, "clBuildProgram", "options=" + options);
        }
        return status == SUCCESS;
    }

    @Override
    public String buildLog(long program, long device) {
        cl_program object = programs.get(program);
        cl_device_id id = devices.get(device);
        int name = CL.CL_PROGRAM_BUILD_LOG;
        return InfoCall.text("clGetProgramBuildInfo", name,
                (capacity, answer, length) -> CL.clGetProgramBuildInfo(object, id, name, capacity, answer, length));
    }

    @Override
    public String kernelNames(long program) {
        cl_program object = programs.get(program);
        int name = CL.CL_PROGRAM_KERNEL_NAMES;
        return InfoCall.text("clGetProgramInfo", name, (capacity, answer, length) ->
                CL.clGetProgramInfo(object, name, capacity, answer, length));
    }

    @Override
    public void releaseProgram(long program) {
        release(programs, program, CL::clReleaseProgram, "clReleaseProgram");
    }

    @Override
    public long createKernel(long program, String name) {
        cl_program object = programs.get(program);
        return kernels.keep(create(
                status -> CL.clCreateKernel(object, name, status),
                "clCreateKernel", "kernel=" + name + ", chars", name.length()));
    }

    @Override
    public int parameterCount(long kernel) {
        cl_kernel object = kernels.get(kernel);
        int name = CL.CL_KERNEL_NUM_ARGS;
        return (int) InfoCall.number("clGetKernelInfo", name, (capacity, answer, length) ->
                CL.clGetKernelInfo(object, name, capacity, answer, length));
    }

    @Override
    public String parameterText(long kernel, int index, int name) {
        cl_kernel object = kernels.get(kernel);
        return InfoCall.text("clGetKernelArgInfo", name, (capacity, answer, length) ->
                CL.clGetKernelArgInfo(object, index, name, capacity, answer, length));
    }

    @Override
    public long parameterNumber(long kernel, int index, int name) {
        cl_kernel object = kernels.get(kernel);
        return InfoCall.number("clGetKernelArgInfo", name, (capacity, answer, length) ->
                CL.clGetKernelArgInfo(object, index, name, capacity, answer, length));
    }

    @Override
    public long kernelNumber(long kernel, long device, int name) {
        cl_kernel object = kernels.get(kernel);
        cl_device_id id = devices.get(device);
        return InfoCall.number("clGetKernelWorkGroupInfo", name, (capacity, answer, length) ->
                CL.clGetKernelWorkGroupInfo(object, id, name, capacity, answer, length));
    }

    @Override
    public byte[] kernelBytes(long kernel, long device, int name) {
        cl_kernel object = kernels.get(kernel);
        cl_device_id id = devices.get(device);
        return InfoCall.bytes("clGetKernelWorkGroupInfo", name, (capacity, answer, length) ->
                CL.clGetKernelWorkGroupInfo(object, id, name, capacity, answer, length));
    }

    @Override
    public void releaseKernel(long kernel) {
        release(kernels, kernel, CL::clReleaseKernel, "clReleaseKernel");
    }

    @Override
    public void setValue(long kernel, int index, MemorySegment value) {
        set(kernel, index, value.byteSize(), Pointer.to(value.asByteBuffer()));
    }

    @Override
    public void setMemory(long kernel, int index, long memory) {
        set(kernel, index, Sizeof.cl_mem, Pointer.to(memory == 0 ? new cl_mem() : memories.get(memory)));
    }

    @Override
    public void setSvmPointer(long kernel, int index, long addressBytes) {
        svm.require("clSetKernelArgSVMPointer", raw.hasSvm(), () -> deviceOfContext(contextOfKernel(kernel)));
        cl_kernel object = kernels.get(kernel);
        int status =
                StatusCall.status(() -> CL.clSetKernelArgSVMPointer(object, index, pointer(addressBytes)));
        if (status != SUCCESS) {
            throw ClStatus.failure(
                    status, "clSetKernelArgSVMPointer", String.format(Locale.ROOT, "index=%d, address=0x%x",
                            index, addressBytes));
        }
    }

    @Override
    public void letFollowSystemPointers(long kernel) {
        svm.require("clSetKernelExecInfo", raw.hasSvm(), () -> deviceOfContext(contextOfKernel(kernel)));
        cl_kernel object = kernels.get(kernel);
        Pointer yes = Pointer.to(ByteBuffer.allocateDirect(Sizeof.cl_uint).order(ByteOrder.nativeOrder()).putInt(0, 1));
        check(() -> CL.clSetKernelExecInfo(object, CL.CL_KERNEL_EXEC_INFO_SVM_FINE_GRAIN_SYSTEM, Sizeof.cl_uint, yes),
                "clSetKernelExecInfo", "bytes", Sizeof.cl_uint);
    }

    @Override
    public void setLocal(long kernel, int index, long lengthBytes) {
        set(kernel, index, lengthBytes, null);
    }

    @Override
    public long enqueueKernel(long queue, long kernel, long[] offset, long[] global, long[] local) {
        cl_command_queue object = queues.get(queue);
        cl_kernel entry = kernels.get(kernel);
        long[] localOrNull = local.length == 0 ? null : local;
        var event = new cl_event();
        int status = StatusCall.status(() -> CL.clEnqueueNDRangeKernel(
                object, entry, global.length, offset, global, localOrNull, 0, null, event));
        if (status != SUCCESS) {
            String range = "offset=" + Arrays.toString(offset) + ", global=" + Arrays.toString(global)
                    + ", local=" + Arrays.toString(local);
            throw ClStatus.failure(status, "clEnqueueNDRangeKernel", range);
        }
        return event.getNativePointer();
    }

    @Override
    public void waitFor(long event) {
        var one = new cl_event[] {event(event)};
        int status = StatusCall.status(() -> CL.clWaitForEvents(1, one));
        if (status != ClStatus.EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST) {
            ClStatus.check(status, "clWaitForEvents", null);
        }
    }

    @Override
    public int eventStatus(long event) {
        cl_event object = event(event);
        int name = CL.CL_EVENT_COMMAND_EXECUTION_STATUS;
        return (int) InfoCall.number("clGetEventInfo", name, (capacity, answer, length) ->
                CL.clGetEventInfo(object, name, capacity, answer, length));
    }

    @Override
    public long eventTime(long event, int name) {
        cl_event object = event(event);
        return InfoCall.number("clGetEventProfilingInfo", name,
                (capacity, answer, length) -> CL.clGetEventProfilingInfo(object, name, capacity, answer, length));
    }

    @Override
    public void releaseEvent(long event) {
        cl_event object = event(event);
        ClStatus.check(StatusCall.status(() -> CL.clReleaseEvent(object)), "clReleaseEvent", null);
    }

    /// Events are not kept as the other objects are: behind an enqueued command nothing is taken from the Java heap.
    private static cl_event event(long handle) {
        return Handles.wrap(new cl_event(), handle);
    }

    private long contextOfKernel(long kernel) {
        cl_kernel object = kernels.get(kernel);
        int name = CL.CL_KERNEL_CONTEXT;
        return InfoCall.first("clGetKernelInfo", name, (capacity, answer, length) ->
                CL.clGetKernelInfo(object, name, capacity, answer, length));
    }

    private long deviceOfContext(long context) {
        cl_context object = contexts.get(context);
        int name = CL.CL_CONTEXT_DEVICES;
        return InfoCall.first("clGetContextInfo", name, (capacity, answer, length) ->
                CL.clGetContextInfo(object, name, capacity, answer, length));
    }

    private long deviceOfQueue(long queue) {
        cl_command_queue object = queues.get(queue);
        int name = CL.CL_QUEUE_DEVICE;
        return InfoCall.first("clGetCommandQueueInfo", name, (capacity, answer, length) ->
                CL.clGetCommandQueueInfo(object, name, capacity, answer, length));
    }

    private AtomicInteger references(long context) {
        AtomicInteger references = contextReferences.get(context);
        if (references == null) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "context=0x%x is not known here", context));
        }
        return references;
    }

    private void set(long kernel, int index, long lengthBytes, @Nullable Pointer value) {
        cl_kernel object = kernels.get(kernel);
        int status = StatusCall.status(() -> CL.clSetKernelArg(object, index, lengthBytes, value));
        if (status != SUCCESS) {
            throw ClStatus.failure(status, "clSetKernelArg", "index=" + index + ", bytes=" + lengthBytes);
        }
    }

    private long enqueue(boolean event, String call, long lengthBytes, ToIntFunction<@Nullable cl_event> enqueue) {
        cl_event out = event ? new cl_event() : null;
        check(() -> enqueue.applyAsInt(out), call, "bytes", lengthBytes);
        return out == null ? 0 : out.getNativePointer();
    }

    private static <T extends NativePointerObject> void release(Handles<T> handles, long handle,
            ToIntFunction<T> release, String call) {
        T object = handles.get(handle);
        StatusCall releases = () -> release.applyAsInt(object); // before it is forgotten: if the Java heap is full, it can be released the next time
        handles.remove(handle);
        check(releases, call, "handle", handle);
    }

    private static <T> T create(Function<int[], T> create, String call, String what, long value) {
        int[] status = new int[1];
        T created = null;
        try {
            created = create.apply(status);
        } catch (CLException e) {
            status[0] = e.getStatus();
        }
        if (status[0] != SUCCESS || created == null) {
            throw ClStatus.failure(status[0], call, what + "=" + value);
        }
        return created;
    }

    private static void check(StatusCall call, String name, String what, long value) {
        int status = StatusCall.status(call);
        if (status != SUCCESS) {
            throw ClStatus.failure(status, name, what + "=" + value);
        }
    }

    /// What JOCL's calls for shared memory read is the address that its allocation has left in the object, and not where
    /// the object points, as all other calls do: those would take a [#pointer] for null, and free nothing.
    private static Pointer sharedPointer(long addressBytes) {
        return Handles.wrap(new Pointer(), addressBytes);
    }

    private static Pointer pointer(long addressBytes) {
        return Pointer.to(buffer(addressBytes));
    }

    /// Only its address counts: JOCL looks at no length.
    private static ByteBuffer buffer(long addressBytes) {
        return MemorySegment.ofAddress(addressBytes).reinterpret(1).asByteBuffer();
    }
}
