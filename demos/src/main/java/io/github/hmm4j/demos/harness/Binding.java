package io.github.hmm4j.demos.harness;

import java.util.Locale;

/// The library through which OpenCL is called.
public enum Binding {
    LWJGL,
    JOCL;

    /// As it is written on the command line and in results: `lwjgl`.
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
