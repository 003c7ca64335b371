package io.github.hmm4j.device.opencl;

import java.util.Locale;

/// Which copy engine a device uses.
public enum CopyMode {
    /// The one that a short test finds best when the first engine is made: it copies right, and is direct where a device
    /// works in host memory, unless another is twice as fast; elsewhere copy, unless another is more than 5 % faster.
    AUTO,
    /// Host pages wrapped as OpenCL buffers; only for devices that work in host memory.
    DIRECT,
    /// Through pinned staging memory, by read and write commands; works everywhere.
    STAGED,
    /// Through pinned staging buffers, by copy commands between buffers; works everywhere.
    COPY;

    /// The mode called `name`, as [#toString()] writes it.
    ///
    /// @throws IllegalArgumentException if there is none
    public static CopyMode of(String name) {
        return ClOptions.choice("copy", values(), name);
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
