package io.github.hmm4j.demos.cli;

import io.github.hmm4j.demos.harness.UsageException;
import io.github.hmm4j.demos.report.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/// `--json`: results for programs, written once everything has run.
final class JsonOption {
    @Option(names = "--json", paramLabel = "FILE",
        description = "Also write the results to FILE: a JSON array, one object a line.")
    private Optional<Path> file = Optional.empty();

    /// Refuses a file that could not be written, before a long run instead of after it.
    void check() throws UsageException {
        if (file.isEmpty()) {
            return;
        }
        Path target = file.get().toAbsolutePath();
        Path folder = target.getParent();
        if (Files.isDirectory(target) || folder == null || !Files.isDirectory(folder)) {
            throw new UsageException("--json: cannot write a file there: " + file.get());
        }
    }

    void write(List<?> results) throws IOException {
        if (file.isPresent()) {
            Files.writeString(file.get(), Json.lines(results));
        }
    }
}
