package io.github.hmm4j.demos.cli;

import io.github.hmm4j.demos.harness.DeviceChoice;
import io.github.hmm4j.demos.harness.UsageException;
import io.github.hmm4j.timeline.TraceFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// `--trace`: a file of everything that the heaps of this run do.
final class TraceOption {
    @Option(names = "--trace", paramLabel = "FILE",
        description = "Also write what happens, as it happens, to FILE: open it in ui.perfetto.dev or chrome://tracing.")
    private Optional<Path> path = Optional.empty();

    /// An open trace, or none.
    record Opened(Optional<TraceFile> file, Optional<Path> path, PrintWriter out) implements AutoCloseable {
        /// The choice of a device whose heaps are traced, if that was asked for.
        DeviceChoice into(DeviceChoice choice) {
            return choice.withTrace(file);
        }

        /// Ends the file and says where it is.
        ///
        /// @throws IOException if it is not complete
        @Override
        public void close() throws IOException {
            if (file.isPresent()) {
                try {
                    file.get().close();
                } catch (UncheckedIOException e) {
                    throw new IOException("--trace: " + e.getMessage(), e.getCause());
                }
                long lost = file.get().lost();
                out.println("trace: " + path.orElseThrow() + (lost == 0 ? "" : ", without " + lost + " happenings that found no room"));
                out.flush();
            }
        }
    }

    /// Makes the file, before a long run and not after it.
    Opened open(PrintWriter out) throws UsageException {
        @Nullable TraceFile file = null;
        try {
            file = path.isPresent() ? TraceFile.create(path.get()) : null;
        } catch (IOException e) {
            throw new UsageException("--trace: cannot write a file there: " + path.orElseThrow() + " (" + e + ")");
        }
        return new Opened(Optional.ofNullable(file), path, out);
    }
}
