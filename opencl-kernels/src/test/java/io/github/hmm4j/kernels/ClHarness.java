package io.github.hmm4j.kernels;

import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.lwjgl.opencl.CL10.CL_CONTEXT_PLATFORM;
import static org.lwjgl.opencl.CL10.CL_DEVICE_EXTENSIONS;
import static org.lwjgl.opencl.CL10.CL_DEVICE_NAME;
import static org.lwjgl.opencl.CL10.CL_DEVICE_TYPE;
import static org.lwjgl.opencl.CL10.CL_DEVICE_TYPE_ALL;
import static org.lwjgl.opencl.CL10.CL_DEVICE_TYPE_CPU;
import static org.lwjgl.opencl.CL10.CL_MEM_READ_WRITE;
import static org.lwjgl.opencl.CL10.CL_PROGRAM_BUILD_LOG;
import static org.lwjgl.opencl.CL10.CL_SUCCESS;
import static org.lwjgl.opencl.CL10.CL_TRUE;
import static org.lwjgl.opencl.CL10.clBuildProgram;
import static org.lwjgl.opencl.CL10.clCreateBuffer;
import static org.lwjgl.opencl.CL10.clCreateCommandQueue;
import static org.lwjgl.opencl.CL10.clCreateContext;
import static org.lwjgl.opencl.CL10.clCreateKernel;
import static org.lwjgl.opencl.CL10.clCreateProgramWithSource;
import static org.lwjgl.opencl.CL10.clEnqueueNDRangeKernel;
import static org.lwjgl.opencl.CL10.clFinish;
import static org.lwjgl.opencl.CL10.clGetDeviceIDs;
import static org.lwjgl.opencl.CL10.clGetDeviceInfo;
import static org.lwjgl.opencl.CL10.clGetPlatformIDs;
import static org.lwjgl.opencl.CL10.clGetProgramBuildInfo;
import static org.lwjgl.opencl.CL10.clReleaseCommandQueue;
import static org.lwjgl.opencl.CL10.clReleaseContext;
import static org.lwjgl.opencl.CL10.clReleaseKernel;
import static org.lwjgl.opencl.CL10.clReleaseMemObject;
import static org.lwjgl.opencl.CL10.clReleaseProgram;
import static org.lwjgl.opencl.CL10.nclEnqueueReadBuffer;
import static org.lwjgl.opencl.CL10.nclEnqueueWriteBuffer;
import static org.lwjgl.opencl.CL10.nclSetKernelArg;
import static org.lwjgl.opencl.KHRICD.CL_PLATFORM_NOT_FOUND_KHR;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.lwjgl.PointerBuffer;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;

/// Runs a kernel on the first OpenCL device, through LWJGL alone: no part of the runtime is involved.
///
/// Every status is checked. Buffers, programs and kernels live until [#close()].
final class ClHarness implements AutoCloseable {

    private static final int PLATFORMS = countPlatforms();

    private final long device;
    private final long context;
    private final long queue;
    private final Deque<Runnable> closers = new ArrayDeque<>();

    private ClHarness(long device, long context, long queue) {
        this.device = device;
        this.context = context;
        this.queue = queue;
        closers.push(() -> check("clReleaseContext", clReleaseContext(context)));
        closers.push(() -> check("clReleaseCommandQueue", clReleaseCommandQueue(queue)));
    }

    /// The first device, or a skipped test where there is no OpenCL.
    static ClHarness openOrSkip() {
        assumeTrue(PLATFORMS > 0, "no OpenCL platform on this machine");
        return open();
    }

    static ClHarness open() {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            PointerBuffer platform = stack.mallocPointer(1);
            check("clGetPlatformIDs", clGetPlatformIDs(platform, (IntBuffer) null));
            PointerBuffer device = stack.mallocPointer(1);
            check("clGetDeviceIDs", clGetDeviceIDs(platform.get(0), CL_DEVICE_TYPE_ALL, device, (IntBuffer) null));
            PointerBuffer properties = stack.pointers(CL_CONTEXT_PLATFORM, platform.get(0), 0);
            IntBuffer status = stack.mallocInt(1);
            long context = clCreateContext(properties, device.get(0), null, MemoryUtil.NULL, status);
            check("clCreateContext", status.get(0));
            long queue = clCreateCommandQueue(context, device.get(0), 0, status);
            check("clCreateCommandQueue", status.get(0));
            return new ClHarness(device.get(0), context, queue);
        }
    }

    private static int countPlatforms() {
        int[] count = new int[1];
        try {
            int status = clGetPlatformIDs(null, count);
            check("clGetPlatformIDs", status == CL_PLATFORM_NOT_FOUND_KHR ? CL_SUCCESS : status);
            return count[0];
        } catch (UnsatisfiedLinkError e) {          // no libOpenCL at all
            return 0;
        }
    }

    String deviceName() {
        return deviceText(CL_DEVICE_NAME);
    }

    /// Whether the device is Oclgrind, which looks for data races.
    boolean onSimulator() {
        return deviceName().contains("Oclgrind");
    }

    /// Whether kernels may take the host's addresses as they are: nothing says so but that the device is the host's processor.
    boolean reachesHostMemory() {
        LongBuffer type = ByteBuffer.allocateDirect(Long.BYTES).order(ByteOrder.nativeOrder()).asLongBuffer();
        check("clGetDeviceInfo", clGetDeviceInfo(device, CL_DEVICE_TYPE, type, null));
        return (type.get(0) & CL_DEVICE_TYPE_CPU) != 0 && !onSimulator();
    }

    boolean has(String extension) {
        return List.of(deviceText(CL_DEVICE_EXTENSIONS).split(" ")).contains(extension);
    }

    private String deviceText(int what) {
        PointerBuffer size = PointerBuffer.allocateDirect(1);
        check("clGetDeviceInfo", clGetDeviceInfo(device, what, (ByteBuffer) null, size));
        ByteBuffer text = ByteBuffer.allocateDirect((int) size.get(0));
        check("clGetDeviceInfo", clGetDeviceInfo(device, what, text, null));
        return StandardCharsets.UTF_8.decode(text.limit(text.capacity() - 1)).toString();
    }

    /// Compiles with `-cl-std=CL1.2 -Werror` and `options`.
    Program build(Source source, String options) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            IntBuffer status = stack.mallocInt(1);
            long program = clCreateProgramWithSource(context, source.text(), status);
            check("clCreateProgramWithSource", status.get(0));
            closers.push(() -> check("clReleaseProgram", clReleaseProgram(program)));
            int built = clBuildProgram(program, device, "-cl-std=CL1.2 -Werror " + options, null, MemoryUtil.NULL);
            if (built != CL_SUCCESS) {
                throw new BuildFailed("clBuildProgram failed: status=" + built + ", source=" + source.name()
                        + System.lineSeparator() + buildLog(program));
            }
            return new Program(program);
        }
    }

    Program build(Source source) {
        return build(source, "");
    }

    private String buildLog(long program) {
        PointerBuffer size = PointerBuffer.allocateDirect(1);
        check("clGetProgramBuildInfo",
                clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, (ByteBuffer) null, size));
        ByteBuffer log = ByteBuffer.allocateDirect((int) size.get(0));
        check("clGetProgramBuildInfo", clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, log, null));
        return StandardCharsets.UTF_8.decode(log).toString();
    }

    Buffer buffer(long lengthBytes) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            IntBuffer status = stack.mallocInt(1);
            long memory = clCreateBuffer(context, CL_MEM_READ_WRITE, lengthBytes, status);
            check("clCreateBuffer", status.get(0));
            closers.push(() -> check("clReleaseMemObject", clReleaseMemObject(memory)));
            return new Buffer(memory, lengthBytes);
        }
    }

    /// A buffer that starts with a copy of `contents`; one unused byte when that is empty, as OpenCL wants.
    Buffer bufferOf(MemorySegment contents) {
        Buffer buffer = buffer(Math.max(1, contents.byteSize()));
        buffer.write(contents);
        return buffer;
    }

    Buffer ints(int... values) {
        return bufferOf(MemorySegment.ofArray(values));
    }

    Buffer longs(long... values) {
        return bufferOf(MemorySegment.ofArray(values));
    }

    Buffer floats(float... values) {
        return bufferOf(MemorySegment.ofArray(values));
    }

    Buffer bytes(byte... values) {
        return bufferOf(MemorySegment.ofArray(values));
    }

    @Override
    public void close() {
        while (!closers.isEmpty()) {
            closers.pop().run();
        }
    }

    private static void check(String call, int status) {
        if (status != CL_SUCCESS) {
            throw new IllegalStateException(call + " failed: status=" + status);
        }
    }

    /// A program did not compile; the message carries the build log.
    static final class BuildFailed extends RuntimeException {
        private static final long serialVersionUID = 1;

        BuildFailed(String message) {
            super(message);
        }
    }

    /// An argument in local memory, for a kernel that leaves its size to the host.
    record Local(long lengthBytes) {}

    final class Program {
        private final long program;

        private Program(long program) {
            this.program = program;
        }

        Kernel kernel(String name) {
            try (MemoryStack stack = MemoryStack.stackPush()) {
                IntBuffer status = stack.mallocInt(1);
                long kernel = clCreateKernel(program, name, status);
                check("clCreateKernel " + name, status.get(0));
                closers.push(() -> check("clReleaseKernel", clReleaseKernel(kernel)));
                return new Kernel(name, kernel);
            }
        }
    }

    final class Kernel {
        private final String name;
        private final long kernel;

        private Kernel(String name, long kernel) {
            this.name = name;
            this.kernel = kernel;
        }

        /// Sets all arguments: a [Buffer], a [Local], a Byte, Integer, Long or Float of the parameter's own size, or an `int[]` for a struct of ints.
        Kernel args(Object... args) {
            try (Arena arena = Arena.ofConfined()) {
                for (int i = 0; i < args.length; i++) {
                    if (args[i] instanceof Local local) {
                        check("clSetKernelArg " + name + " " + i,
                                nclSetKernelArg(kernel, i, local.lengthBytes, MemoryUtil.NULL));
                        continue;
                    }
                    MemorySegment value = switch (args[i]) {
                        case Buffer b -> arena.allocateFrom(ValueLayout.JAVA_LONG, b.memory);
                        case Long v -> arena.allocateFrom(ValueLayout.JAVA_LONG, v);
                        case Integer v -> arena.allocateFrom(ValueLayout.JAVA_INT, v);
                        case Float v -> arena.allocateFrom(ValueLayout.JAVA_FLOAT, v);
                        case Byte v -> arena.allocateFrom(ValueLayout.JAVA_BYTE, v);
                        case int[] v -> arena.allocateFrom(ValueLayout.JAVA_INT, v);
                        default -> throw new IllegalArgumentException("args[" + i + "]=" + args[i]);
                    };
                    check("clSetKernelArg " + name + " " + i,
                            nclSetKernelArg(kernel, i, value.byteSize(), value.address()));
                }
            }
            return this;
        }

        /// Runs to the end; sizes are `{global...}` and `{local...}` of one to three dimensions.
        void run(long[] global, long[] local) {
            try (MemoryStack stack = MemoryStack.stackPush()) {
                check("clEnqueueNDRangeKernel " + name, clEnqueueNDRangeKernel(queue, kernel, global.length, null,
                        stack.pointers(global), stack.pointers(local), null, null));
                check("clFinish " + name, clFinish(queue));
            }
        }

        /// One work-item for each of `count`, and some too many: the last group of `local` is filled up.
        void runOver(long count, long local) {
            run(new long[] {Math.max(1, Math.ceilDiv(count, local)) * local}, new long[] {local});
        }
    }

    final class Buffer {
        private final long memory;
        private final long lengthBytes;

        private Buffer(long memory, long lengthBytes) {
            this.memory = memory;
            this.lengthBytes = lengthBytes;
        }

        void write(MemorySegment contents) {
            if (contents.byteSize() == 0) {
                return;
            }
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment staging = arena.allocate(contents.byteSize()).copyFrom(contents);
                check("clEnqueueWriteBuffer", nclEnqueueWriteBuffer(queue, memory, CL_TRUE, 0, staging.byteSize(),
                        staging.address(), 0, 0, 0));
            }
        }

        private MemorySegment read(Arena arena) {
            MemorySegment staging = arena.allocate(lengthBytes);
            check("clEnqueueReadBuffer",
                    nclEnqueueReadBuffer(queue, memory, CL_TRUE, 0, lengthBytes, staging.address(), 0, 0, 0));
            return staging;
        }

        int[] toInts() {
            try (Arena arena = Arena.ofConfined()) {
                return read(arena).toArray(ValueLayout.JAVA_INT_UNALIGNED);
            }
        }

        long[] toLongs() {
            try (Arena arena = Arena.ofConfined()) {
                return read(arena).toArray(ValueLayout.JAVA_LONG_UNALIGNED);
            }
        }

        float[] toFloats() {
            try (Arena arena = Arena.ofConfined()) {
                return read(arena).toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
            }
        }

        byte[] toBytes() {
            try (Arena arena = Arena.ofConfined()) {
                return read(arena).toArray(ValueLayout.JAVA_BYTE);
            }
        }
    }
}
