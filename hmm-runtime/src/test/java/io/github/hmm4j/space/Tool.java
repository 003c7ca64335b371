package io.github.hmm4j.space;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

/// Programs of this machine that tests run.
public final class Tool {

    /// Exit status and everything that was printed.
    public record Result(int status, String text) {}

    private Tool() {}

    public static boolean isThere(String name) {
        return Stream.of(System.getenv("PATH").split(":")).anyMatch(folder -> Files.isExecutable(Path.of(folder, name)));
    }

    public static Result run(String... command) throws IOException, InterruptedException {
        return run(Map.of(), command);
    }

    /// Runs to the end, with these variables in place of those of the same name.
    public static Result run(Map<String, String> environment, String... command) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().remove("LD_PRELOAD"); // libjsig is for JVMs; others may not find it, and say so
        builder.environment().putAll(environment);
        Process process = builder.start();
        process.getOutputStream().close();
        String text = new String(process.getInputStream().readAllBytes());
        return new Result(process.waitFor(), text);
    }
}
