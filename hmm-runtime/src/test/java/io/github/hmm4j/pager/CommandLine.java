package io.github.hmm4j.pager;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// A command that is run to its end.
final class CommandLine {

    /// @param output standard output and errors together
    record Outcome(int status, String output) {}

    private CommandLine() {}

    /// Runs `command` in `folder`, without what is preloaded into this process: sanitizers must be loaded first. Interrupting ends the command.
    ///
    /// @throws UncheckedIOException if there is no such command
    static Outcome run(Path folder, List<String> command) throws InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
        builder.environment().remove("LD_PRELOAD");
        Process process = null;
        try {
            Path log = folder.resolve(Path.of(command.getFirst()).getFileName() + ".log");
            process = builder.redirectOutput(log.toFile()).start();
            process.getOutputStream().close();
            int status = process.waitFor();
            return new Outcome(status, Files.readString(log, StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            if (process != null) {
                process.destroyForcibly();
            }
        }
    }
}
