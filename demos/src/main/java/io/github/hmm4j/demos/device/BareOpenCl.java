package io.github.hmm4j.demos.device;

import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClDeviceId;

/// One device, a context and a queue: where a program starts that does everything by itself.
///
/// Calls go through [#api()], which counts the bytes that copies move. Threads: one.
public final class BareOpenCl implements AutoCloseable {
    private final CopyCounter counter;
    private final ClApi api;
    private final ClDeviceId id;
    private final long context;
    private final long queue;

    private BareOpenCl(ClApi calls, ClDeviceId id, boolean profiling) {
        this.counter = new CopyCounter(calls);
        this.api = counter.api();
        this.id = id;
        this.context = api.createContext(id.platform(), id.device());
        try {
            this.queue = api.createQueue(context, id.device(), profiling);
        } catch (RuntimeException e) {
            api.releaseContext(context);
            throw e;
        }
    }

    /// @param profiling whether events of its queue keep times
    static BareOpenCl open(ClApi calls, ClDeviceId id, boolean profiling) {
        return new BareOpenCl(calls, id, profiling);
    }

    public ClApi api() {
        return api;
    }

    /// `cl_context`
    public long context() {
        return context;
    }

    /// `cl_device_id`
    public long device() {
        return id.device();
    }

    /// `cl_command_queue`, in order
    public long queue() {
        return queue;
    }

    public String name() {
        return id.info().name();
    }

    public DeviceInfo info() {
        return id.info();
    }

    /// Starts the count of bytes anew.
    public void startCounting() {
        counter.reset();
    }

    public long bytesToDevice() {
        return counter.bytesToDevice();
    }

    public long bytesToHost() {
        return counter.bytesToHost();
    }

    @Override
    public void close() {
        api.finish(queue);
        api.releaseQueue(queue);
        api.releaseContext(context);
    }
}
