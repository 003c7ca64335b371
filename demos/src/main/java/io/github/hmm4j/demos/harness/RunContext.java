package io.github.hmm4j.demos.harness;

import io.github.hmm4j.demos.report.Progress;
import java.io.PrintWriter;

/// What a demo or benchmark runs with.
///
/// @param out for results; flushed by the caller
/// @param progress for what is only of interest while it runs
public record RunContext(DeviceChoice device, PrintWriter out, Progress progress) {}
