package io.github.hmm4j.device.sim;

import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.device.DeviceProgram;
import io.github.hmm4j.error.KernelBuildException;
import io.github.hmm4j.kernels.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// The registered kernels that one source defines.
final class SimProgram implements DeviceProgram {

    private final SimDevice device;
    private final Map<String, SimKernels.Entry> entries;
    private final List<SimKernel> opened = new ArrayList<>();
    private boolean closed;

    private SimProgram(SimDevice device, Map<String, SimKernels.Entry> entries) {
        this.device = device;
        this.entries = entries;
    }

    static SimProgram build(SimDevice device, SimKernels kernels, Source source, String options) {
        Set<String> defined = KernelDeclaration.namesIn(source.text());
        Map<String, SimKernels.Entry> entries = new TreeMap<>();
        for (String name : defined) {
            SimKernels.Entry entry = kernels.find(name);
            if (entry != null) {
                entries.put(name, entry);
            }
        }
        if (entries.isEmpty()) {
            throw new KernelBuildException(source.name(), device.info().name(), options,
                    "kernels defined: %s; kernels this simulated device knows: %s".formatted(defined, kernels.names()));
        }
        return new SimProgram(device, entries);
    }

    @Override
    public List<String> kernelNames() {
        return List.copyOf(entries.keySet());
    }

    @Override
    public DeviceKernel kernel(String name) {
        SimKernels.Entry entry = entries.get(name);
        if (entry == null) {
            throw new IllegalArgumentException("kernel=" + name + ", no such kernel; there are " + entries.keySet());
        }
        device.enterOrFail(Operation.KERNEL, "kernel=" + name);
        synchronized (this) {
            if (closed) {
                throw new IllegalStateException("program with kernels " + entries.keySet() + " is closed");
            }
            SimKernel kernel = new SimKernel(device, entry);
            opened.add(kernel);
            device.opened();
            return kernel;
        }
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            opened.forEach(SimKernel::close);
            device.closedObject();
        }
    }
}
