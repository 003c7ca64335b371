package io.github.hmm4j.device.opencl.lwjgl;

import static io.github.hmm4j.device.opencl.ClStatus.SUCCESS;
import static org.lwjgl.system.MemoryUtil.NULL;
import static org.lwjgl.system.MemoryUtil.memGetInt;
import static org.lwjgl.system.MemoryUtil.memGetLong;
import static org.lwjgl.system.MemoryUtil.memPutLong;

import io.github.hmm4j.device.opencl.ClAdvice;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.opencl.ClStatus;
import io.github.hmm4j.device.opencl.OneLoadsAtATime;
import io.github.hmm4j.device.opencl.ProgramBinaries;
import io.github.hmm4j.device.opencl.SvmSupport;
import io.github.hmm4j.error.NoDeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import org.lwjgl.opencl.CL;
import org.lwjgl.opencl.CL10;
import org.lwjgl.opencl.CL11;
import org.lwjgl.opencl.CL12;
import org.lwjgl.opencl.CL20;
import org.lwjgl.system.Configuration;
import org.lwjgl.system.MemoryStack;

/// OpenCL through the raw calls of LWJGL: every handle is a `long`, and a call costs about ten nanoseconds.
public final class LwjglClApi implements ClApi {

    private final SvmSupport svm = new SvmSupport(this);

    private LwjglClApi() {}

    /// Loads the OpenCL library.
    ///
    /// Sets two defaults of LWJGL where the user has not: the name of the library, because LWJGL looks only for the one
    /// that development packages install, and its memory backend, because the other one makes the JVM print warnings.
    ///
    /// @throws NoDeviceException if there is no OpenCL library
    public static LwjglClApi load() {
        try {
            boolean onLinux = System.getProperty("os.name", "").contains("Linux");
            if (onLinux && Configuration.OPENCL_LIBRARY_NAME.get() == null) {
                Configuration.OPENCL_LIBRARY_NAME.set("libOpenCL.so.1");
            }
            if (Configuration.MEMORY_BACKEND.get() == null) {
                Configuration.MEMORY_BACKEND.set("ffm");
            }
            OneLoadsAtATime.load(CL::getICD);
            return new LwjglClApi();
        } catch (LinkageError | IllegalStateException e) {
            throw ClAdvice.noLibrary(ClBinding.LWJGL, e);
        }
    }

    @Override
    public ClBinding binding() {
        return ClBinding.LWJGL;
    }

    @Override
    public long[] platforms() {
        return handles("clGetPlatformIDs", ClStatus.PLATFORM_NOT_FOUND_KHR, CL10::nclGetPlatformIDs);
    }

    @Override
    public String platformText(long platform, int name) {
        return InfoCall.text("clGetPlatformInfo", name, (capacity, answer, length) ->
                CL10.nclGetPlatformInfo(platform, name, capacity, answer, length));
    }

    @Override
    public long[] devices(long platform) {
        return handles("clGetDeviceIDs", ClStatus.DEVICE_NOT_FOUND,
                (count, ids, found) -> CL10.nclGetDeviceIDs(platform, CL10.CL_DEVICE_TYPE_ALL, count, ids, found));
    }

    @Override
    public String deviceText(long device, int name) {
        return InfoCall.text("clGetDeviceInfo", name, (capacity, answer, length) ->
                CL10.nclGetDeviceInfo(device, name, capacity, answer, length));
    }

    @Override
    public long deviceNumber(long device, int name) {
        return InfoCall.number("clGetDeviceInfo", name, (capacity, answer, length) ->
                CL10.nclGetDeviceInfo(device, name, capacity, answer, length));
    }

    @Override
    public byte[] deviceBytes(long device, int name) {
        return InfoCall.bytes("clGetDeviceInfo", name, (capacity, answer, length) ->
                CL10.nclGetDeviceInfo(device, name, capacity, answer, length));
    }

    @Override
    public long createContext(long platform, long... devices) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            long status = stack.nint(0);
            long properties = put(stack, CL10.CL_CONTEXT_PLATFORM, platform, 0);
            long context = CL10.nclCreateContext(properties, devices.length, put(stack, devices), NULL, NULL, status);
            return created(context, status, "clCreateContext", devices.length, "devices");
        }
    }

    @Override
    public void retainContext(long context) {
        ClStatus.check(CL10.clRetainContext(context), "clRetainContext", null);
    }

    @Override
    public void releaseContext(long context) {
        ClStatus.check(CL10.clReleaseContext(context), "clReleaseContext", null);
    }

    @Override
    public long createQueue(long context, long device, boolean profiling) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            long status = stack.nint(0);
            long properties = profiling ? CL10.CL_QUEUE_PROFILING_ENABLE : 0;
            long queue = CL10.nclCreateCommandQueue(context, device, properties, status);
            return created(queue, status, "clCreateCommandQueue", properties, "properties");
        }
    }

    @Override
    public void flush(long queue) {
        ClStatus.check(CL10.clFlush(queue), "clFlush", null);
    }

    @Override
    public long enqueueMarker(long queue) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            long out = stack.nlong(0);
            return enqueued(CL12.nclEnqueueMarkerWithWaitList(queue, 0, NULL, out), out, "clEnqueueMarkerWithWaitList", 0);
        }
    }

    @Override
    public void enqueueWait(long queue, long event) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            ClStatus.check(CL12.nclEnqueueBarrierWithWaitList(queue, 1, stack.nlong(event), NULL), "clEnqueueBarrierWithWaitList", null);
        }
    }

    @Override
    public void finish(long queue) {
        long marker = marker(queue);
        try {
            ClStatus.check(CL10.clFinish(queue), "clFinish", null);
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
    private static long marker(long queue) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            long out = stack.nlong(0);
            return CL12.nclEnqueueMarkerWithWaitList(queue, 0, NULL, out) == SUCCESS ? memGetLong(out) : 0;
        }
    }

    @Override
    public void releaseQueue(long queue) {
        ClStatus.check(CL10.clReleaseCommandQueue(queue), "clReleaseCommandQueue", null);
    }

    @Override
    public long createBuffer(long context, long flags, long lengthBytes, long hostAddressBytes) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            long status = stack.nint(0);
            long memory = CL10.nclCreateBuffer(context, flags, lengthBytes, hostAddressBytes, status);
            return created(memory, status, "clCreateBuffer", lengthBytes, "bytes");
        }
    }

    @Override
    public long createSubBuffer(long buffer, long offsetBytes, long lengthBytes) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            long status = stack.nint(0);
            long region = put(stack, offsetBytes, lengthBytes);
            long memory = CL11.nclCreateSubBuffer(
                    buffer, CL10.CL_MEM_READ_WRITE, CL11.CL_BUFFER_CREATE_TYPE_REGION, region, status);
            return created(memory, status, "clCreateSubBuffer", offsetBytes, lengthBytes);
        }
    }

    @Override
    public void releaseMemory(long memory) {
        ClStatus.check(CL10.clReleaseMemObject(memory), "clReleaseMemObject", null);
    }

    @Override
    public long enqueueCopy(long queue, long source, long target, long sourceOffset, long targetOffset,
            long lengthBytes, boolean event) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            long out = stack.nlong(0);
            int status = CL10.nclEnqueueCopyBuffer(
                    queue, source, target, sourceOffset, targetOffset, lengthBytes, 0, NULL, event ? out : NULL);
            return enqueued(status, out, "clEnqueueCopyBuffer", lengthBytes);
        }
    }

    @Override
    public long enqueueZero(long queue, long memory, int patternBytes, long offsetBytes, long lengthBytes,
            boolean event) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            long out = stack.nlong(0);
            long pattern = stack.ncalloc(8, 1, patternBytes);
            int status = CL12.nclEnqueueFillBuffer(
                    queue, memory, pattern, patternBytes, offsetBytes, lengthBytes, 0, NULL, event ? out : NULL);
            return enqueued(status, out, "clEnqueueFillBuffer", lengthBytes);
        }
    }

    @Override
    public long enqueueWrite(long queue, long memory, long offsetBytes, long lengthBytes, long hostAddressBytes,
            boolean event) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            long out = stack.nlong(0);
            int status = CL10.nclEnqueueWriteBuffer(
                    queue, memory, CL10.CL_FALSE, offsetBytes, lengthBytes, hostAddressBytes,
                    0, NULL, event ? out : NULL);
            return enqueued(status, out, "clEnqueueWriteBuffer", lengthBytes);
        }
    }

    @Override
    public long enqueueRead(long queue, long memory, long offsetBytes, long lengthBytes, long hostAddressBytes,
            boolean event) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            long out = stack.nlong(0);
            int status = CL10.nclEnqueueReadBuffer(
                    queue, memory, CL10.CL_FALSE, offsetBytes, lengthBytes, hostAddressBytes,
                    0, NULL, event ? out : NULL);
            return enqueued(status, out, "clEnqueueReadBuffer", lengthBytes);
        }
    }

    @Override
    public long map(long queue, long memory, long flags, long offsetBytes, long lengthBytes) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            long status = stack.nint(0);
            long address = CL10.nclEnqueueMapBuffer(
                    queue, memory, CL10.CL_TRUE, flags, offsetBytes, lengthBytes, 0, NULL, NULL, status);
            return created(
                    address, status, "clEnqueueMapBuffer", offsetBytes, lengthBytes);
        }
    }

    @Override
    public long enqueueMap(long queue, long memory, long flags, long offsetBytes, long lengthBytes, long[] addressBytes) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            long status = stack.nint(0);
            long out = stack.nlong(0);
            long address = CL10.nclEnqueueMapBuffer(
                    queue, memory, CL10.CL_FALSE, flags, offsetBytes, lengthBytes, 0, NULL, out, status);
            addressBytes[0] = created(
                    address, status, "clEnqueueMapBuffer", offsetBytes, lengthBytes);
            return memGetLong(out);
        }
    }

    @Override
    public long enqueueUnmap(long queue, long memory, long addressBytes, boolean event) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            long out = stack.nlong(0);
            int status = CL10.nclEnqueueUnmapMemObject(queue, memory, addressBytes, 0, NULL, event ? out : NULL);
            return enqueued(status, out, "clEnqueueUnmapMemObject", 0);
        }
    }

    @Override
    public long svmAllocate(long context, long flags, long lengthBytes, int alignmentBytes) {
        svm.require("clSVMAlloc", CL.getICD().clSVMAlloc != NULL, () -> deviceOfContext(context));
        long address = CL20.nclSVMAlloc(context, flags, lengthBytes, alignmentBytes);
        return SvmSupport.allocated(address, flags, lengthBytes, alignmentBytes);
    }

    @Override
    public void svmFree(long context, long addressBytes) {
        svm.require("clSVMFree", CL.getICD().clSVMFree != NULL, () -> deviceOfContext(context));
        CL20.nclSVMFree(context, addressBytes);
    }

    @Override
    public void svmMap(long queue, long flags, long addressBytes, long lengthBytes) {
        svm.require("clEnqueueSVMMap", CL.getICD().clEnqueueSVMMap != NULL, () -> deviceOfQueue(queue));
        int status = CL20.nclEnqueueSVMMap(
                queue, CL10.CL_TRUE, flags, addressBytes, lengthBytes, 0, NULL, NULL);
        if (status != SUCCESS) {
            throw ClStatus.failure(status, "clEnqueueSVMMap", "bytes=" + lengthBytes);
        }
    }

    @Override
    public void enqueueSvmUnmap(long queue, long addressBytes) {
        svm.require("clEnqueueSVMUnmap", CL.getICD().clEnqueueSVMUnmap != NULL, () -> deviceOfQueue(queue));
        ClStatus.check(CL20.nclEnqueueSVMUnmap(queue, addressBytes, 0, NULL, NULL), "clEnqueueSVMUnmap", null);
    }

    @Override
    public long createProgram(long context, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        try (Arena arena = Arena.ofConfined(); MemoryStack stack = MemoryStack.stackPush()) {
            MemorySegment code = arena.allocate(Math.max(1, bytes.length));
            MemorySegment.copy(bytes, 0, code, ValueLayout.JAVA_BYTE, 0, bytes.length);
            long status = stack.nint(0);
            long program = CL10.nclCreateProgramWithSource(
                    context, 1, stack.npointer(code.address()), stack.npointer(bytes.length), status);
            return created(program, status, "clCreateProgramWithSource", bytes.length, "bytes");
        }
    }

    @Override
    public long createProgramOfBinary(long context, long device, byte[] binary) {
        try (Arena arena = Arena.ofConfined(); MemoryStack stack = MemoryStack.stackPush()) {
            MemorySegment code = arena.allocate(Math.max(1, binary.length));
            MemorySegment.copy(binary, 0, code, ValueLayout.JAVA_BYTE, 0, binary.length);
            long taken = stack.nint(0);
            long status = stack.nint(0);
            long program = CL10.nclCreateProgramWithBinary(context, 1, stack.npointer(device),
                    stack.npointer(binary.length), stack.npointer(code.address()), taken, status);
            if (memGetInt(status) != SUCCESS) {
                throw ClStatus.failure(memGetInt(status), "clCreateProgramWithBinary", "binaryStatus=" + memGetInt(taken) + ", bytes=" + binary.length);
            }
            return program;
        }
    }

    @Override
    public byte[] programBinary(long program, long device) {
        return ProgramBinaries.of(device,
                name -> InfoCall.bytes("clGetProgramInfo", name, (capacity, answer, length) ->
                        CL10.nclGetProgramInfo(program, name, capacity, answer, length)),
                (name, pointers) -> CL10.nclGetProgramInfo(
                        program, name, pointers.byteSize(), pointers.address(), NULL));
    }

    @Override
    public boolean build(long program, long device, String options) {
        try (Arena arena = Arena.ofConfined(); MemoryStack stack = MemoryStack.stackPush()) {
            int status = CL10.nclBuildProgram(
                    program, 1, stack.npointer(device), arena.allocateFrom(options).address(), NULL, NULL);
            if (status != ClStatus.BUILD_PROGRAM_FAILURE && status != ClStatus.INVALID_BUILD_OPTIONS) {
                ClStatus.check(status, "clBuildProgram", "options=" + options);
            }
            return status == SUCCESS;
        }
    }

    @Override
    public String buildLog(long program, long device) {
        int name = CL10.CL_PROGRAM_BUILD_LOG;
        return InfoCall.text("clGetProgramBuildInfo", name,
                (capacity, answer, length) ->
                        CL10.nclGetProgramBuildInfo(program, device, name, capacity, answer, length));
    }

    @Override
    public String kernelNames(long program) {
        int name = CL12.CL_PROGRAM_KERNEL_NAMES;
        return InfoCall.text("clGetProgramInfo", name, (capacity, answer, length) ->
                CL10.nclGetProgramInfo(program, name, capacity, answer, length));
    }

    @Override
    public void releaseProgram(long program) {
        ClStatus.check(CL10.clReleaseProgram(program), "clReleaseProgram", null);
    }

    @Override
    public long createKernel(long program, String name) {
        try (Arena arena = Arena.ofConfined(); MemoryStack stack = MemoryStack.stackPush()) {
            long status = stack.nint(0);
            long kernel = CL10.nclCreateKernel(program, arena.allocateFrom(name).address(), status);
            if (kernel == NULL) {
                throw ClStatus.failure(memGetInt(status), "clCreateKernel", "kernel=" + name);
            }
            return kernel;
        }
    }

    @Override
    public int parameterCount(long kernel) {
        int name = CL10.CL_KERNEL_NUM_ARGS;
        return (int) InfoCall.number("clGetKernelInfo", name,
                (capacity, answer, length) -> CL10.nclGetKernelInfo(kernel, name, capacity, answer, length));
    }

    @Override
    public String parameterText(long kernel, int index, int name) {
        return InfoCall.text("clGetKernelArgInfo", name,
                (capacity, answer, length) -> CL12.nclGetKernelArgInfo(kernel, index, name, capacity, answer, length));
    }

    @Override
    public long parameterNumber(long kernel, int index, int name) {
        return InfoCall.number("clGetKernelArgInfo", name,
                (capacity, answer, length) -> CL12.nclGetKernelArgInfo(kernel, index, name, capacity, answer, length));
    }

    @Override
    public long kernelNumber(long kernel, long device, int name) {
        return InfoCall.number("clGetKernelWorkGroupInfo", name, (capacity, answer, length) ->
                CL10.nclGetKernelWorkGroupInfo(kernel, device, name, capacity, answer, length));
    }

    @Override
    public byte[] kernelBytes(long kernel, long device, int name) {
        return InfoCall.bytes("clGetKernelWorkGroupInfo", name, (capacity, answer, length) ->
                CL10.nclGetKernelWorkGroupInfo(kernel, device, name, capacity, answer, length));
    }

    @Override
    public void releaseKernel(long kernel) {
        ClStatus.check(CL10.clReleaseKernel(kernel), "clReleaseKernel", null);
    }

    @Override
    public void setValue(long kernel, int index, MemorySegment value) {
        set(CL10.nclSetKernelArg(kernel, index, value.byteSize(), value.address()), index, value.byteSize());
    }

    @Override
    public void setMemory(long kernel, int index, long memory) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            set(CL10.nclSetKernelArg(kernel, index, Long.BYTES, stack.nlong(memory)), index, Long.BYTES);
        }
    }

    @Override
    public void setSvmPointer(long kernel, int index, long addressBytes) {
        svm.require("clSetKernelArgSVMPointer", CL.getICD().clSetKernelArgSVMPointer != NULL,
                () -> deviceOfContext(contextOfKernel(kernel)));
        int status = CL20.nclSetKernelArgSVMPointer(kernel, index, addressBytes);
        if (status != SUCCESS) {
            throw ClStatus.failure(
                    status, "clSetKernelArgSVMPointer", String.format(Locale.ROOT, "index=%d, address=0x%x",
                            index, addressBytes));
        }
    }

    @Override
    public void letFollowSystemPointers(long kernel) {
        svm.require("clSetKernelExecInfo", CL.getICD().clSetKernelExecInfo != NULL,
                () -> deviceOfContext(contextOfKernel(kernel)));
        try (MemoryStack stack = MemoryStack.stackPush()) {
            ClStatus.check(CL20.nclSetKernelExecInfo(kernel, CL20.CL_KERNEL_EXEC_INFO_SVM_FINE_GRAIN_SYSTEM, Integer.BYTES, stack.nint(CL10.CL_TRUE)),
                    "clSetKernelExecInfo", null);
        }
    }

    @Override
    public void setLocal(long kernel, int index, long lengthBytes) {
        set(CL10.nclSetKernelArg(kernel, index, lengthBytes, NULL), index, lengthBytes);
    }

    @Override
    public long enqueueKernel(long queue, long kernel, long[] offset, long[] global, long[] local) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            long out = stack.nlong(0);
            long localSizes = local.length == 0 ? NULL : put(stack, local);
            int status = CL10.nclEnqueueNDRangeKernel(
                    queue, kernel, global.length, put(stack, offset), put(stack, global), localSizes, 0, NULL, out);
            if (status != SUCCESS) {
                String range = "offset=" + Arrays.toString(offset) + ", global=" + Arrays.toString(global)
                        + ", local=" + Arrays.toString(local);
                throw ClStatus.failure(status, "clEnqueueNDRangeKernel", range);
            }
            return memGetLong(out);
        }
    }

    @Override
    public void waitFor(long event) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            int status = CL10.nclWaitForEvents(1, stack.nlong(event));
            if (status != ClStatus.EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST) {
                ClStatus.check(status, "clWaitForEvents", null);
            }
        }
    }

    @Override
    public int eventStatus(long event) {
        int name = CL10.CL_EVENT_COMMAND_EXECUTION_STATUS;
        return (int) InfoCall.number("clGetEventInfo", name,
                (capacity, answer, length) -> CL10.nclGetEventInfo(event, name, capacity, answer, length));
    }

    @Override
    public long eventTime(long event, int name) {
        return InfoCall.number("clGetEventProfilingInfo", name,
                (capacity, answer, length) -> CL10.nclGetEventProfilingInfo(event, name, capacity, answer, length));
    }

    @Override
    public void releaseEvent(long event) {
        ClStatus.check(CL10.clReleaseEvent(event), "clReleaseEvent", null);
    }

    private static long contextOfKernel(long kernel) {
        int name = CL10.CL_KERNEL_CONTEXT;
        return InfoCall.number("clGetKernelInfo", name,
                (capacity, answer, length) -> CL10.nclGetKernelInfo(kernel, name, capacity, answer, length));
    }

    private static long deviceOfContext(long context) {
        int name = CL10.CL_CONTEXT_DEVICES;
        return InfoCall.first("clGetContextInfo", name,
                (capacity, answer, length) -> CL10.nclGetContextInfo(context, name, capacity, answer, length));
    }

    private static long deviceOfQueue(long queue) {
        int name = CL10.CL_QUEUE_DEVICE;
        return InfoCall.number("clGetCommandQueueInfo", name,
                (capacity, answer, length) -> CL10.nclGetCommandQueueInfo(queue, name, capacity, answer, length));
    }

    private static long created(long handle, long statusAddress, String call, long value, String what) {
        int status = memGetInt(statusAddress);
        if (status != SUCCESS) {
            throw ClStatus.failure(status, call, what + "=" + value);
        }
        return handle;
    }

    /// The same for a range of bytes. Nothing is made for people unless it failed: if the Java heap is full, who could release what the driver has made?
    private static long created(long handle, long statusAddress, String call, long offsetBytes, long lengthBytes) {
        int status = memGetInt(statusAddress);
        if (status != SUCCESS) {
            throw ClStatus.failure(status, call, "offset=" + offsetBytes + ", bytes=" + lengthBytes);
        }
        return handle;
    }

    private static long enqueued(int status, long out, String call, long lengthBytes) {
        if (status != SUCCESS) {
            throw ClStatus.failure(status, call, "bytes=" + lengthBytes);
        }
        return memGetLong(out);
    }

    private static void set(int status, int index, long lengthBytes) {
        if (status != SUCCESS) {
            throw ClStatus.failure(status, "clSetKernelArg", "index=" + index + ", bytes=" + lengthBytes);
        }
    }

    private static long put(MemoryStack stack, long... values) {
        long address = stack.nmalloc(Long.BYTES, values.length * Long.BYTES);
        for (int i = 0; i < values.length; i++) {
            memPutLong(address + (long) i * Long.BYTES, values[i]);
        }
        return address;
    }

    /// The two-step question for all platforms or all devices; the status `none` means that there are none.
    private static long[] handles(String call, int none, Ids ids) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            long count = stack.nint(0);
            int status = ids.get(0, NULL, count);
            if (status == none || (status == SUCCESS && memGetInt(count) == 0)) {
                return new long[0];
            }
            ClStatus.check(status, call, null);
            long[] handles = new long[memGetInt(count)];
            long out = stack.nmalloc(Long.BYTES, handles.length * Long.BYTES);
            ClStatus.check(ids.get(handles.length, out, NULL), call, "count=" + handles.length);
            for (int i = 0; i < handles.length; i++) {
                handles[i] = memGetLong(out + (long) i * Long.BYTES);
            }
            return handles;
        }
    }

    @FunctionalInterface
    private interface Ids {
        int get(int capacity, long handles, long count);
    }
}
