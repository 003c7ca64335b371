package io.github.hmm4j.demos.device;

import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClDeviceId;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/// Stands in front of a binding and counts the bytes of its copy commands, each by itself.
public final class RecordingCl {
    private long written;
    private long read;
    private long copied;

    /// The binding, counted.
    public ClApi over(ClApi calls) {
        return (ClApi) Proxy.newProxyInstance(ClApi.class.getClassLoader(), new Class<?>[] {ClApi.class}, (_, call, arguments) -> {
            synchronized (this) {
                switch (call.getName()) {
                    case "enqueueWrite" -> written += (long) arguments[3];
                    case "enqueueRead" -> read += (long) arguments[3];
                    case "enqueueCopy" -> copied += (long) arguments[5];
                    default -> { }
                }
            }
            try {
                return call.invoke(calls, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        });
    }

    /// A device behind it.
    public static BareOpenCl device(ClApi calls, ClDeviceId id) {
        return BareOpenCl.open(calls, id, true);
    }

    public synchronized long written() {
        return written;
    }

    public synchronized long read() {
        return read;
    }

    public synchronized long copied() {
        return copied;
    }
}
