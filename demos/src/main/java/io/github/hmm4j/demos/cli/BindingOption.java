package io.github.hmm4j.demos.cli;

import io.github.hmm4j.demos.harness.Binding;
import picocli.CommandLine.Option;

/// `--binding`.
final class BindingOption {
    @Option(names = "--binding", paramLabel = "lwjgl|jocl", defaultValue = "lwjgl",
        description = "The library that calls OpenCL (default: ${DEFAULT-VALUE}).")
    private Binding binding = Binding.LWJGL;

    Binding binding() {
        return binding;
    }
}
