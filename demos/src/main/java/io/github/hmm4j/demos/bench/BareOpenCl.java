package io.github.hmm4j.demos.bench;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.OpenClDevices;
import io.github.hmm4j.demos.harness.UsageException;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.opencl.ClDeviceId;
import io.github.hmm4j.device.opencl.ClPlatforms;
import io.github.hmm4j.kernels.Source;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;

/// What a program does that manages its memory itself: a context of its own on the device of a managed heap, and plain OpenCL calls.
///
/// The baseline of the benchmarks. Owns all that it makes. Used by one thread.
final class BareOpenCl implements AutoCloseable {
    private static final long CL_MEM_READ_WRITE = 1;
    private static final long CL_MEM_ALLOC_HOST_PTR = 1 << 4;
    private static final long CL_MAP_READ = 1;
    private static final long CL_MAP_WRITE = 1 << 1;
    private static final long PIECE_BYTES = ByteSize.mib(2);

    private final ClApi api;
    private final ClDeviceId id;
    private final long context;
    private final long queue;
    private final MemorySegment intValue = Arena.ofAuto().allocate(JAVA_INT);
    private final Deque<Runnable> releases = new ArrayDeque<>();

    private BareOpenCl(ClApi api, ClDeviceId id) {
        this.api = api;
        this.id = id;
        context = api.createContext(id.platform(), id.device());
        releases.push(() -> api.releaseContext(context));
        queue = api.createQueue(context, id.device(), false);
        releases.push(() -> api.releaseQueue(queue));
    }

    /// Opens the device that a heap uses, through the same binding.
    ///
    /// @throws UsageException if that device is no OpenCL device
    static BareOpenCl beside(Hmm hmm) throws UsageException {
        var info = hmm.device().info();
        for (ClBinding binding : ClBinding.values()) {
            if (binding.toString().equals(info.binding())) {
                ClApi api = OpenClDevices.api(binding); // handles belong to the binding that gave them
                for (ClDeviceId id : ClPlatforms.devices(api)) {
                    if (id.info().equals(info)) {
                        return new BareOpenCl(api, id);
                    }
                }
            }
        }
        throw new UsageException("this benchmark compares with plain OpenCL, which device=" + info.name() + " does not know");
    }

    ClApi api() {
        return api;
    }

    long queue() {
        return queue;
    }

    /// A buffer that has been written to all over: reading memory that never was could be faster than any memory is.
    long buffer(long lengthBytes) {
        long buffer = api.createBuffer(context, CL_MEM_READ_WRITE, lengthBytes, 0);
        releases.push(() -> api.releaseMemory(buffer));
        api.enqueueZero(queue, buffer, Long.BYTES, 0, lengthBytes, false);
        api.finish(queue);
        return buffer;
    }

    /// Host memory that the driver has pinned, mapped for as long as this lives.
    MemorySegment pinned(long lengthBytes) {
        long buffer = api.createBuffer(context, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, lengthBytes, 0);
        releases.push(() -> api.releaseMemory(buffer));
        long address = api.map(queue, buffer, CL_MAP_READ | CL_MAP_WRITE, 0, lengthBytes);
        releases.push(() -> {
            api.enqueueUnmap(queue, buffer, address, false);
            api.finish(queue);
        });
        return MemorySegment.ofAddress(address).reinterpret(lengthBytes);
    }

    long kernel(Source source, String name) {
        long program = api.createProgram(context, source.text());
        releases.push(() -> api.releaseProgram(program));
        if (!api.build(program, id.device(), "-cl-std=CL1.2")) {
            throw new IllegalStateException("kernel=" + name + " does not compile: " + api.buildLog(program, id.device()));
        }
        long kernel = api.createKernel(program, name);
        releases.push(() -> api.releaseKernel(kernel));
        return kernel;
    }

    /// Some buffers of one size, given back together.
    Buffers buffers(long lengthBytes, int count) {
        long[] handles = new long[count];
        for (int i = 0; i < count; i++) {
            handles[i] = api.createBuffer(context, CL_MEM_READ_WRITE, lengthBytes, 0);
        }
        return new Buffers(handles);
    }

    /// Buffers that live for a part of a run.
    final class Buffers implements AutoCloseable {
        private final long[] handles;

        private Buffers(long[] handles) {
            this.handles = handles;
        }

        long get(int index) {
            return handles[index];
        }

        @Override
        public void close() {
            for (long handle : handles) {
                api.releaseMemory(handle);
            }
        }
    }

    void setInt(long kernel, int index, int value) {
        intValue.set(JAVA_INT, 0, value);
        api.setValue(kernel, index, intValue);
    }

    /// Launches with the arguments set before, and waits.
    void launch(long kernel, NDRange range) {
        long event = api.enqueueKernel(queue, kernel, range.global(), range.local());
        api.flush(queue);
        api.waitFor(event);
        int status = api.eventStatus(event);
        api.releaseEvent(event);
        if (status != 0) {
            throw new IllegalStateException("the launch failed: range=" + range + ", status=" + status);
        }
    }

    /// Copies between two buffers in pieces of 2 MiB, and waits.
    void copyInPieces(long source, long target, long lengthBytes) {
        for (long offset = 0; offset < lengthBytes; offset += PIECE_BYTES) {
            api.enqueueCopy(queue, source, target, offset, offset, Math.min(PIECE_BYTES, lengthBytes - offset), false);
        }
        finish();
    }

    void finish() {
        api.finish(queue);
    }

    @Override
    public void close() {
        api.finish(queue);
        while (!releases.isEmpty()) {
            releases.pop().run();
        }
    }
}
