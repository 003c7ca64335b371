package io.github.hmm4j.pager;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.error.HmmException;
import java.lang.reflect.Proxy;
import java.util.function.Supplier;

/// Tries to open heaps, and to say what one would get, and prints why that is refused.
final class OpensHeaps {

    private OpensHeaps() {}

    static void main() {
        attempt(() -> Hmm.builder().hostOnly().open());
        attempt(() -> Hmm.builder().hostOnly().hostAccess(HostAccess.Mode.CHECKED).open());
        attempt(() -> Hmm.builder().context(unused(), 1, 1).open());
        attempt(Ladder::best);
    }

    /// A device would be opened for nothing.
    private static ClApi unused() {
        return (ClApi) Proxy.newProxyInstance(ClApi.class.getClassLoader(), new Class<?>[] {ClApi.class}, (_, method, _) -> {
            throw new AssertionError("a device is opened: " + method.getName());
        });
    }

    private static void attempt(Supplier<Object> what) {
        try {
            IO.println("opened: " + what.get());
        } catch (HmmException e) {
            IO.println("refused: " + e);
        }
    }
}
