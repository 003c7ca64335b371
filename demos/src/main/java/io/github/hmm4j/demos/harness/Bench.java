package io.github.hmm4j.demos.harness;

import java.util.List;

/// One benchmark: a question, answered against baselines that are measured in the same run.
public interface Bench {
    /// As it is called on the command line: lower case.
    String name();

    /// One line for the list of benchmarks: what is asked.
    String question();

    /// Whether it runs where all benchmarks are asked for.
    default boolean isOneOfAll() {
        return true;
    }

    /// Measures.
    ///
    /// @throws UsageException if an option has a value that makes no sense
    /// @throws Exception if it could not be carried out
    List<BenchRow> run(RunContext context) throws Exception;
}
