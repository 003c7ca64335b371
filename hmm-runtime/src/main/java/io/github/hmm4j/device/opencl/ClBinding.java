package io.github.hmm4j.device.opencl;

import java.util.Arrays;
import java.util.Locale;

/// The libraries that OpenCL calls can go through.
public enum ClBinding {
    LWJGL,
    JOCL;

    /// The binding called `name`, as [#toString()] writes it.
    ///
    /// @throws IllegalArgumentException if there is none
    public static ClBinding of(String name) {
        return Arrays.stream(values())
                .filter(binding -> binding.toString().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "binding=" + name + ", must be one of " + Arrays.toString(values())));
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
