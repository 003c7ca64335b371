package io.github.hmm4j.kernels;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// The Oclgrind simulator, which executes kernels instruction by instruction and reports what they must not do.
///
/// A kernel runs in a JVM of its own whose OpenCL library *is* Oclgrind, so it does not matter which drivers and which
/// ICD loader are installed. Oclgrind reports to a log and never fails by itself: the log is the result.
///
/// Its check for uninitialized values stays off: in 21.10 it does not know LLVM's `freeze`, which ends the kernel, and
/// it takes values for uninitialized that were stored through an index from `atomic_inc`.
record Oclgrind(Path library) {

    /// What one run left behind: `log` is empty when Oclgrind has nothing to object to.
    record Report(int exitCode, String output, String log) {}

    /// The simulator beside the command `oclgrind` of the PATH, or the library that `-Dhmm.oclgrind=FILE` names.
    static Optional<Oclgrind> find() {
        String chosen = System.getProperty("hmm.oclgrind");
        if (chosen != null) {
            return Optional.of(new Oclgrind(Path.of(chosen)));
        }
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder, "oclgrind"))
                .filter(Files::isExecutable)
                .flatMap(Oclgrind::librariesBeside)
                .filter(Files::isRegularFile)
                .findFirst()
                .map(Oclgrind::new);
    }

    private static Stream<Path> librariesBeside(Path command) {
        try {
            Path prefix = command.toRealPath().resolve("../..").normalize();
            return Stream.of("lib/oclgrind", "lib", "lib64").map(f -> prefix.resolve(f).resolve("liboclgrind-rt.so"));
        } catch (IOException e) {
            return Stream.empty();
        }
    }

    /// Runs the main class with `args` on the simulator, with `checks` on; `scratch` is an empty folder.
    Report run(Class<?> main, Path scratch, List<String> checks, String... args)
            throws IOException, InterruptedException {
        Path log = scratch.resolve("oclgrind.log");
        Path output = scratch.resolve("output.txt");
        var command = new ArrayList<String>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-ea", "--enable-native-access=ALL-UNNAMED",
                "-Dorg.lwjgl.opencl.libname=" + library, "-Dorg.lwjgl.system.memoryBackend=ffm",
                "-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(List.of(args));
        var builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        var environment = builder.environment();
        environment.keySet().removeIf(name -> name.startsWith("OCLGRIND_"));
        for (String check : checks) {
            environment.put("OCLGRIND_" + check, "1");
        }
        environment.put("OCLGRIND_LOG", log.toString());
        Process process = builder.start();
        try {
            if (!process.waitFor(5, TimeUnit.MINUTES)) {
                throw new IllegalStateException("still running after 5 minutes: " + command);
            }
        } finally {
            process.destroyForcibly();
        }
        return new Report(process.exitValue(), Files.readString(output),
                Files.exists(log) ? Files.readString(log).strip() : "");
    }
}
