package io.github.hmm4j.demos.cli;

import io.github.hmm4j.demos.harness.Bench;
import io.github.hmm4j.demos.harness.Binding;
import io.github.hmm4j.demos.harness.Demo;
import io.github.hmm4j.demos.harness.DeviceReport;
import java.util.List;
import java.util.Optional;

/// Everything that the command line can run.
///
/// @param demos in the order in which `all` runs them
/// @param benches in the order in which `all` runs those that it runs
public record Catalog(List<Demo> demos, List<Bench> benches, DeviceListing devices) {
    public Catalog {
        demos = List.copyOf(demos);
        benches = List.copyOf(benches);
    }

    /// Finds the devices of a binding, with the numbers that `--device` takes.
    @FunctionalInterface
    public interface DeviceListing {
        /// @param device a number or a part of a name, to list the one that this stands for; empty for all
        /// @throws Exception if the devices cannot be listed, or there is none
        List<DeviceReport> list(Binding binding, Optional<String> device) throws Exception;
    }
}
