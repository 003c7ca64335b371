package io.github.hmm4j.demos.device;

import io.github.hmm4j.device.opencl.ClApi;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import org.jspecify.annotations.Nullable;

/// Stands in front of a binding and adds up what is copied between host and device. Threads: one.
final class CopyCounter {
    private static final int LENGTH_ARGUMENT = 3; // of enqueueWrite and enqueueRead

    private final ClApi api;
    private long bytesToDevice;
    private long bytesToHost;

    CopyCounter(ClApi calls) {
        // A proxy, because all but two of some forty calls are only passed on.
        api = (ClApi) Proxy.newProxyInstance(ClApi.class.getClassLoader(), new Class<?>[] {ClApi.class},
            (_, call, arguments) -> pass(calls, call, arguments));
    }

    ClApi api() {
        return api;
    }

    void reset() {
        bytesToDevice = 0;
        bytesToHost = 0;
    }

    long bytesToDevice() {
        return bytesToDevice;
    }

    long bytesToHost() {
        return bytesToHost;
    }

    private @Nullable Object pass(ClApi calls, Method call, Object @Nullable [] arguments) throws Throwable {
        Object result;
        try {
            result = call.invoke(calls, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause() == null ? e : e.getCause();
        }
        if (arguments != null) {
            switch (call.getName()) {
                case "enqueueWrite" -> bytesToDevice += (long) arguments[LENGTH_ARGUMENT];
                case "enqueueRead" -> bytesToHost += (long) arguments[LENGTH_ARGUMENT];
                default -> { }
            }
        }
        return result;
    }
}
