package io.github.hmm4j.device.opencl;

import java.util.Locale;

/// How kernels are given host pages that they use in place.
public enum InPlaceMode {
    /// By address where the device says that it shares all memory of the host, and proves it; else wrapped. Where neither is proven, as [#BUFFER].
    AUTO,
    /// As buffers over the host's memory (`CL_MEM_USE_HOST_PTR`).
    WRAPPED,
    /// By address, as system SVM has it: tried also where the device does not say that it has that.
    ADDRESS,
    /// By address in memory that the driver has allocated, fine-grained SVM, and in no other: for heaps with checked access.
    BUFFER;

    /// The mode called `name`, as [#toString()] writes it.
    ///
    /// @throws IllegalArgumentException if there is none
    public static InPlaceMode of(String name) {
        return ClOptions.choice("inPlace", values(), name);
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
