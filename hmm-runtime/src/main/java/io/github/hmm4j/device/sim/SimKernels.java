package io.github.hmm4j.device.sim;

import io.github.hmm4j.device.KernelParameter;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The kernels a simulated device knows: Java bodies under the names they have in OpenCL C.
///
/// A program is built from the same source as on a real device; it gets the registered kernels whose names the source
/// defines. Threads: any; several devices may share a registry, and what is added later is there for the next build.
public final class SimKernels {

    /// One registered kernel.
    record Entry(String name, List<KernelParameter> parameters, List<Long> requiredGroup, SimKernelBody body) {}

    private final Map<String, Entry> entries = new ConcurrentHashMap<>();

    /// Adds a kernel by its OpenCL C declaration, such as `kernel void scale(global float *x, float factor, uint n)`.
    ///
    /// @throws IllegalArgumentException if the declaration cannot be read or the name is taken
    public SimKernels add(String declaration, SimKernelBody body) {
        KernelDeclaration parsed = KernelDeclaration.parse(Objects.requireNonNull(declaration, "declaration"));
        return add(new Entry(parsed.name(), parsed.parameters(), parsed.requiredGroup(), Objects.requireNonNull(body, "body")));
    }

    /// Adds a kernel with the parameters given.
    ///
    /// @throws IllegalArgumentException if the name is taken
    public SimKernels add(String name, List<KernelParameter> parameters, SimKernelBody body) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(parameters, "parameters");
        return add(new Entry(name, List.copyOf(parameters), List.of(), Objects.requireNonNull(body, "body")));
    }

    private SimKernels add(Entry entry) {
        if (entries.putIfAbsent(entry.name(), entry) != null) {
            throw new IllegalArgumentException("name=" + entry.name() + ", there is such a kernel already");
        }
        return this;
    }

    @Nullable Entry find(String name) {
        return entries.get(name);
    }

    List<String> names() {
        return entries.keySet().stream().sorted().toList();
    }
}
