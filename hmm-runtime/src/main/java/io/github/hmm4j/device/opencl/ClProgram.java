package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.BuildOptions;
import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.device.DeviceProgram;
import io.github.hmm4j.error.KernelBuildException;
import io.github.hmm4j.kernels.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// A `cl_program` built for one device, and the kernels made of it.
final class ClProgram implements DeviceProgram, Owned {

    private final ClDevice device;
    private final long handle;
    private final List<String> kernelNames;
    private final List<ClKernel> kernels = new ArrayList<>();
    private boolean closed;

    private ClProgram(ClDevice device, long handle, List<String> kernelNames) {
        this.device = device;
        this.handle = handle;
        this.kernelNames = kernelNames;
    }

    static ClProgram build(ClDevice device, Source source, String options) {
        ClApi api = device.api();
        String allOptions = (BuildOptions.checked(options) + " -cl-kernel-arg-info").strip();
        long handle = api.createProgram(device.context(), source.text());
        try {
            if (!api.build(handle, device.handle(), allOptions)) {
                throw new KernelBuildException(
                        source.name(), device.info().name(), allOptions, api.buildLog(handle, device.handle()), PoclSignals.problem(device.platformName()));
            }
            List<String> names = Stream.of(api.kernelNames(handle).split(";")).filter(name -> !name.isBlank()).toList();
            return new ClProgram(device, handle, names);
        } catch (RuntimeException e) {
            new Cleanup(e).run(() -> api.releaseProgram(handle));
            throw e;
        }
    }

    @Override
    public List<String> kernelNames() {
        return kernelNames;
    }

    @Override
    public synchronized DeviceKernel kernel(String name) {
        if (closed) {
            throw new IllegalStateException("program is closed, kernel=" + name);
        }
        if (!kernelNames.contains(name)) {
            throw new IllegalArgumentException("kernel=" + name + ", the program has " + kernelNames);
        }
        ClKernel kernel = ClKernel.create(device, handle, name);
        kernels.add(kernel);
        return kernel;
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        device.disown(this);
        var cleanup = new Cleanup();
        kernels.forEach(kernel -> cleanup.run(kernel::close));
        cleanup.run(() -> device.api().releaseProgram(handle)).end();
    }
}
