package io.github.hmm4j.demos.cli;

import io.github.hmm4j.demos.harness.Bench;
import io.github.hmm4j.demos.harness.Binding;
import io.github.hmm4j.demos.harness.Demo;
import java.io.PrintWriter;
import java.util.List;

/// Everything that the command line can run.
///
/// @param demos in the order in which `all` runs them
/// @param benches in the order in which `all` runs them
public record Catalog(List<Demo> demos, List<Bench> benches, DeviceListing devices) {
    public Catalog {
        demos = List.copyOf(demos);
        benches = List.copyOf(benches);
    }

    /// Prints the devices that a binding finds, with the indexes that `--device` takes.
    @FunctionalInterface
    public interface DeviceListing {
        /// Prints one table to `out`, which the caller flushes.
        ///
        /// @throws Exception if the devices cannot be listed
        void print(Binding binding, PrintWriter out) throws Exception;
    }
}
