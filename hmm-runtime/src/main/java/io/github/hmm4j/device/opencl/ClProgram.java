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

    private final long handle;
    private final List<String> kernelNames;
    private final boolean smallerGroups;
    // by the kernel's name: parameters that the driver is not asked for
    private final Map<String, List<KernelParameter>> known;
    private final DeclaredConst declared; // of the others
    private final List<ClKernel> kernels = new ArrayList<>();
    private boolean released; // who goes on where the Java heap was full releases it no second time

    private ClProgram(ClDevice device, long handle, List<String> kernelNames, boolean smallerGroups,
            Map<String, List<KernelParameter>> known, DeclaredConst declared) {
        super(device);
        this.handle = handle;
        this.kernelNames = kernelNames;
        this.smallerGroups = smallerGroups;
        this.known = known;
        this.declared = declared;
    }

    /// Takes what was compiled before, if that is kept and the driver takes it.
    static ClProgram build(ClDevice device, Source source, String options) {
        String allOptions = (BuildOptions.checked(options) + device.programOptions()).strip();
        ProgramCache cache = device.programs();
        if (!cache.isOn() || !ProgramKey.isLasting(source, allOptions)) {
            return compile(device, source, allOptions);
        }
        String key = ProgramKey.of(device, source, allOptions);
        Optional<ClProgram> kept = cache.find(key).flatMap(stored -> take(device, stored, source, allOptions));
        if (kept.isPresent()) {
            return kept.get();
        }
        ClProgram program = compile(device, source, allOptions);
        try {
            program.stored().ifPresent(stored -> cache.keep(key, stored));
        } catch (HmmException | IllegalStateException e) {
            LOG.debug("{} is not kept", source.name(), e);
        }
        return program;
    }

    private static ClProgram compile(ClDevice device, Source source, String options) {
        ClApi api = device.api();
        long handle = api.createProgram(device.context(), source.text());
        try {
            if (!api.build(handle, device.handle(), options)) {
                throw new KernelBuildException(
                        source.name(), device.info().name(), options, api.buildLog(handle, device.handle()),
                        PoclSignals.problem(device.platformName()));
            }
            return new ClProgram(device, handle, names(api, handle), smallerGroups(device, options), Map.of(), DeclaredConst.of(source.text()));
        } catch (RuntimeException | Error e) {
            new Cleanup(e).run(() -> api.releaseProgram(handle));
            throw e;
        }
    }

    /// Empty if the driver does not take it.
    private static Optional<ClProgram> take(ClDevice device, StoredProgram stored, Source source, String options) {
        ClApi api = device.api();
        try {
            long handle = api.createProgramOfBinary(device.context(), device.handle(), stored.binary());
            try {
                List<String> names = api.build(handle, device.handle(), options) ? names(api, handle) : List.of();
                if (!names.isEmpty() && stored.kernels().keySet().equals(Set.copyOf(names))) {
                    return Optional.of(new ClProgram(device, handle, names, smallerGroups(device, options),
                            stored.kernels(), DeclaredConst.NOTHING));
                }
                LOG.debug("{} does not build what is kept of {}: {}", device, source.name(),
                        api.buildLog(handle, device.handle()));
                api.releaseProgram(handle);
            } catch (RuntimeException | Error e) {
                new Cleanup(e).run(() -> api.releaseProgram(handle));
                throw e;
            }
        } catch (HmmException e) {
            LOG.debug("{} does not take what is kept of {}", device, source.name(), e);
        }
        return Optional.empty();
    }

    /// What is to be kept of it; empty if the driver does not hand it out.
    private Optional<StoredProgram> stored() {
        byte[] binary = device.api().programBinary(handle, device.handle());
        if (binary.length == 0) {
            return Optional.empty();
        }
        Map<String, List<KernelParameter>> parameters = new LinkedHashMap<>();
        for (String name : kernelNames) {
            ClKernel kernel = ClKernel.create(device, handle, name, smallerGroups, null, declared);
            parameters.put(name, kernel.parameters());
            kernel.close();
        }
        return Optional.of(new StoredProgram(binary, parameters));
    }

    private static List<String> names(ClApi api, long program) {
        return Stream.of(api.kernelNames(program).split(";")).filter(name -> !name.isBlank()).toList();
    }

    private static boolean smallerGroups(ClDevice device, String options) {
        return BuildOptions.allowSmallerGroups(options) && device.hasSmallerGroups();
    }

    /// A kernel that its caller sets, enqueues and releases.
    long createKernel(String name) {
        return device.api().createKernel(handle, name);
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
            ClKernel kernel = ClKernel.create(device, handle, name, smallerGroups, known.get(name), declared);
            kernels.add(kernel);
            return kernel;
        } catch (HmmException e) {
            throw device.named(e);
        }
    }

    @Override
    void release() {
        var cleanup = new Cleanup();
        Runnable release = () -> {
            device.api().releaseProgram(handle);
            released = true;
        };
        kernels.forEach(kernel -> cleanup.run(kernel::close));
        if (!released) {
            cleanup.run(release);
        }
        cleanup.end();
    }
}
