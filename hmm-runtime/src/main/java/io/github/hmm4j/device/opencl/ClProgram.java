package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.BuildOptions;
import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.device.DeviceProgram;
import io.github.hmm4j.device.KernelParameter;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.KernelBuildException;
import io.github.hmm4j.kernels.Source;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A `cl_program` built for one device, and the kernels made of it.
final class ClProgram extends Owned implements DeviceProgram {

    private static final Logger LOG = LoggerFactory.getLogger(ClProgram.class);

    private final ClApi api;
    private final Source source;
    private final String options;
    private final boolean smallerGroups;
    private long handle;
    private List<String> kernelNames = List.of();
    // by the kernel's name: parameters that the driver is not asked for
    private Map<String, List<KernelParameter>> known = Map.of();
    private DeclaredConst declared = DeclaredConst.NOTHING; // of the others
    private final List<ClKernel> kernels = new ArrayList<>();

    ClProgram(ClDevice device, Source source, String options) {
        super(device);
        this.api = device.api();
        this.source = source;
        this.options = (BuildOptions.checked(options) + device.programOptions()).strip();
        this.smallerGroups = BuildOptions.allowSmallerGroups(this.options) && device.hasSmallerGroups();
    }

    /// Takes what was compiled before, if that is kept and the driver takes it.
    @Override
    void make() {
        ProgramCache cache = device.programs();
        if (!cache.isOn() || !ProgramKey.isLasting(source, options)) {
            compile();
            return;
        }
        String key = ProgramKey.of(device, source, options);
        if (cache.find(key).filter(this::takes).isPresent()) {
            return;
        }
        compile();
        try {
            stored().ifPresent(stored -> cache.keep(key, stored));
        } catch (HmmException | IllegalStateException e) {
            LOG.debug("{} is not kept", source.name(), e);
        }
    }

    private void compile() {
        handle = api.createProgram(device.context(), source.text());
        if (!api.build(handle, device.handle(), options)) {
            throw new KernelBuildException(source.name(), device.info().name(), options, api.buildLog(handle, device.handle()), PoclSignals.problem(device.platformName()));
        }
        kernelNames = names();
        declared = DeclaredConst.of(source.text());
    }

    /// Whether the driver takes it; if not, there is nothing.
    private boolean takes(StoredProgram stored) {
        try {
            handle = api.createProgramOfBinary(device.context(), device.handle(), stored.binary());
            kernelNames = api.build(handle, device.handle(), options) ? names() : List.of();
            if (!kernelNames.isEmpty() && stored.kernels().keySet().equals(Set.copyOf(kernelNames))) {
                known = stored.kernels();
                return true;
            }
            LOG.debug("{} does not build what is kept of {}: {}", device, source.name(), api.buildLog(handle, device.handle()));
        } catch (HmmException e) {
            LOG.debug("{} does not take what is kept of {}", device, source.name(), e);
        }
        new Cleanup().run(this::releaseHandle);
        return false;
    }

    /// What is to be kept of it; empty if the driver does not hand it out.
    private Optional<StoredProgram> stored() {
        byte[] binary = api.programBinary(handle, device.handle());
        if (binary.length == 0) {
            return Optional.empty();
        }
        Map<String, List<KernelParameter>> parameters = new LinkedHashMap<>();
        for (String name : kernelNames) {
            try (ClKernel kernel = made(name)) {
                parameters.put(name, kernel.parameters());
            }
        }
        return Optional.of(new StoredProgram(binary, parameters));
    }

    private ClKernel made(String name) {
        return device.keep(new ClKernel(device, handle, name, smallerGroups, known.get(name), declared));
    }

    private List<String> names() {
        return Stream.of(api.kernelNames(handle).split(";")).filter(name -> !name.isBlank()).toList();
    }

    /// A kernel that its caller sets, enqueues and releases.
    long createKernel(String name) {
        return api.createKernel(handle, name);
    }

    @Override
    public List<String> kernelNames() {
        return kernelNames;
    }

    @Override
    public synchronized DeviceKernel kernel(String name) {
        if (isClosed()) {
            throw new IllegalStateException("program is closed, kernel=" + name);
        }
        if (!kernelNames.contains(name)) {
            throw new IllegalArgumentException("kernel=" + name + ", the program has " + kernelNames);
        }
        try {
            ClKernel kernel = made(name);
            kernels.add(kernel);
            return kernel;
        } catch (HmmException e) {
            throw device.named(e);
        }
    }

    @Override
    void release() {
        var cleanup = new Cleanup();
        Runnable release = this::releaseHandle;
        kernels.forEach(kernel -> cleanup.run(kernel::close));
        cleanup.run(release).end();
    }

    private void releaseHandle() {
        if (handle != 0) {
            api.releaseProgram(handle);
            handle = 0; // who goes on where the Java heap was full releases it no second time
        }
    }
}
