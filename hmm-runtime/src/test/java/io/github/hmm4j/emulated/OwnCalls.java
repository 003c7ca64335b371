package io.github.hmm4j.emulated;

import io.github.hmm4j.OpenClDevices;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.opencl.ClDeviceId;
import java.util.ArrayList;
import java.util.List;

/// A small program that calls OpenCL itself: one context, a queue for each engine and three buffers. Its commands are flushed at once, and wait for none of another engine.
final class OwnCalls implements AutoCloseable {

    static final int BYTES = 1 << 16;
    private static final String TEXT = "kernel void nothing(global int *data) {}\n";

    final ClApi api = OpenClDevices.api(ClBinding.LWJGL);
    final long context;
    private final long device;
    private final long queue;
    private final long copies;
    private final List<Runnable> releases = new ArrayList<>();
    private final long filled;
    private final long from;
    private final long to;

    OwnCalls(int number) {
        ClDeviceId id = OpenClDevices.list(ClBinding.LWJGL).get(number);
        device = id.device();
        context = api.createContext(id.platform(), device);
        releases.add(() -> api.releaseContext(context));
        queue = makeQueue();
        copies = makeQueue();
        filled = makeBuffer();
        from = makeBuffer();
        to = makeBuffer();
    }

    private long makeQueue() {
        long made = api.createQueue(context, device, false);
        release(() -> api.releaseQueue(made));
        return made;
    }

    long makeBuffer() {
        long made = api.createBuffer(context, 1, BYTES, 0);
        release(() -> api.releaseMemory(made));
        return made;
    }

    void makeSubBuffer() {
        long made = api.createSubBuffer(from, 0, BYTES / 2);
        release(() -> api.releaseMemory(made));
    }

    void makeKernel() {
        long program = api.createProgram(context, TEXT);
        release(() -> api.releaseProgram(program));
        if (!api.build(program, device, "")) {
            throw new AssertionError("it is not built");
        }
        long kernel = api.createKernel(program, "nothing");
        release(() -> api.releaseKernel(kernel));
    }

    /// A command for [Engine#COMPUTE]; returns its event.
    long fill() {
        return flushed(queue, api.enqueueZero(queue, filled, 4, 0, BYTES, true));
    }

    /// One for [Engine#TO_DEVICE].
    long copy() {
        return flushed(copies, api.enqueueCopy(copies, from, to, 0, 0, BYTES, true));
    }

    private long flushed(long on, long event) {
        release(() -> api.releaseEvent(event));
        api.flush(on);
        return event;
    }

    private synchronized void release(Runnable release) {
        releases.add(release);
    }

    @Override
    public synchronized void close() {
        releases.reversed().forEach(Runnable::run);
    }
}
