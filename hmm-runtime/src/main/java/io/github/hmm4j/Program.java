package io.github.hmm4j;

import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.device.DeviceProgram;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.mirror.DeviceMirror;
import java.util.HashMap;
import java.util.Map;

/// An OpenCL program, compiled for a device when it is first needed there. Owned by its [Hmm], which closes it; may be closed earlier. Threads: any.
public final class Program implements AutoCloseable {

    private record KernelKey(int device, String name) {}

    private final Hmm hmm;
    private final Source source;
    private final String options;
    private final Map<Integer, DeviceProgram> built = new HashMap<>();
    private final Map<KernelKey, DeviceKernel> kernels = new HashMap<>();
    private boolean closed;

    Program(Hmm hmm, Source source, String options) {
        this.hmm = hmm;
        this.source = source;
        this.options = options;
    }

    /// A kernel of this program; compiles it for the heap's first device.
    ///
    /// @throws IllegalArgumentException                       if there is no such kernel
    /// @throws io.github.hmm4j.error.KernelBuildException if it does not compile; the message has the compiler's log
    public Kernel kernel(String name) {
        try (Lifetime.Hold _ = hmm.lifetime().use()) {
            return new Kernel(hmm, this, name, compiled(hmm.mirrorOf(hmm.device()), name).parameters());
        }
    }

    synchronized DeviceKernel compiled(DeviceMirror mirror, String name) {
        if (closed) {
            throw new IllegalStateException("program=" + this + " is closed");
        }
        KernelKey key = new KernelKey(mirror.index(), name);
        DeviceKernel kernel = kernels.get(key);
        if (kernel == null) {
            DeviceProgram program = built.get(mirror.index());
            if (program == null) {
                program = mirror.device().build(source, options);
                built.put(mirror.index(), program);
            }
            kernel = program.kernel(name);
            kernels.put(key, kernel);
        }
        return kernel;
    }

    /// Releases it on all devices. Launches under way end well; its kernels cannot be launched any more. Idempotent.
    @Override
    public synchronized void close() {
        closed = true;
        hmm.forget(this);
        kernels.values().forEach(DeviceKernel::close);
        kernels.clear();
        built.values().forEach(DeviceProgram::close);
        built.clear();
    }

    @Override
    public String toString() {
        return source.name();
    }
}
