package io.github.hmm4j;

import io.github.hmm4j.device.BuildOptions;
import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.device.DeviceProgram;
import io.github.hmm4j.error.KernelBuildException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.DeviceTable;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// An OpenCL program, compiled for a device when it is first needed there. Owned by its [Hmm], which closes it; may be closed earlier. Threads: any.
public final class Program implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Program.class);

    private record KernelKey(int device, String name) {}

    private final Hmm hmm;
    private final Source source;
    private final String options;
    private final Map<Integer, DeviceProgram> built = new HashMap<>();
    private final Map<KernelKey, DeviceKernel> kernels = new HashMap<>();
    private boolean closed;

    Program(Hmm hmm, Source source, String options) {
        this.hmm = hmm;
        this.source = Objects.requireNonNull(source, "source");
        this.options = BuildOptions.withVersion(Objects.requireNonNull(options, "options"));
    }

    /// A kernel of this program; compiles it for the heap's first device.
    ///
    /// @throws IllegalArgumentException                       if there is no such kernel
    /// @throws io.github.hmm4j.error.KernelBuildException if it does not compile; the message has the compiler's log
    public Kernel kernel(String name) {
        Objects.requireNonNull(name, "name");
        try (Lifetime.Hold _ = hmm.lifetime().use()) {
            return new Kernel(hmm, this, name, HeapParameters.visible(compiled(hmm.mirrorOf(hmm.device()), name).parameters()));
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
                program = build(mirror);
                built.put(mirror.index(), program);
            }
            kernel = program.kernel(name);
            kernels.put(key, kernel);
        }
        return kernel;
    }

    /// Where the device holds less than the heap, a program whose kernels can go through its page table is compiled so. Others are told when they are launched that they need an aperture.
    private DeviceProgram build(DeviceMirror mirror) {
        DeviceTable table = mirror.deviceTable();
        if (table == null || !source.text().contains("HMM_HEAP")) {
            return mirror.device().build(source, options);
        }
        try {
            return mirror.device().build(source, options + " " + table.compilerOptions());
        } catch (KernelBuildException paged) {
            try {
                DeviceProgram program = mirror.device().build(source, options);
                LOG.info("{} is compiled for an aperture only: its paged form is not compiled, {}", this, paged.getMessage());
                return program;
            } catch (KernelBuildException _) {
                throw paged;
            }
        }
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
