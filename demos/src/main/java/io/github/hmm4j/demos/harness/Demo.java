package io.github.hmm4j.demos.harness;

/// One demo: the same task as an explicit program and as a managed one, checked against an oracle.
///
/// Options of its own are fields with picocli's `@Option`; they appear under `hmm demo NAME` and `hmm demo all`, so
/// no two demos may use the same option name.
public interface Demo {
    /// As it is called on the command line: lower case.
    String name();

    /// One line for the list of demos.
    String description();

    /// Runs both programs and checks both results. A wrong result is a result (`ok` is false), not an exception.
    ///
    /// @throws UsageException if an option has a value that makes no sense
    /// @throws Exception if it could not be carried out: input that cannot be read, a device that fails
    DemoResult run(RunContext context) throws Exception;
}
