package io.github.hmm4j.transparent;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A JVM of its own for a program of the test tree: with other options, and so that what a test must survive cannot take the tests along.
///
/// The class path, libjsig and the settings of the native libraries are those of this JVM.
public final class ChildJvm {

    /// What it printed, and how it ended.
    public record Result(int status, String output) {

        private static final Pattern NUMBER = Pattern.compile("(\\w+)=(-?\\d+)");

        /// The numbers of the line that begins with `done`, which programs print last.
        public Map<String, Long> numbers() {
            Map<String, Long> numbers = new LinkedHashMap<>();
            Matcher matcher = NUMBER.matcher(output.lines().filter(line -> line.startsWith("done ")).findFirst().orElse(""));
            while (matcher.find()) {
                numbers.put(matcher.group(1), Long.parseLong(matcher.group(2)));
            }
            return numbers;
        }
    }

    /// What a JVM needs that lets native code install signal handlers.
    public static final String JSIG = Path.of(System.getProperty("java.home"), "lib", "libjsig.so").toString();

    private static final Duration PATIENCE_FOR_DUMP = Duration.ofSeconds(5);

    private ChildJvm() {}

    /// Runs `main` of a program to its end.
    ///
    /// @param limit far more than it should ever take; a program that takes longer hangs, and the error has the stacks of its threads
    public static Result run(Duration limit, List<String> options, Class<?> program, String... arguments) {
        return run(limit, System.getenv().getOrDefault("LD_PRELOAD", JSIG), options, program, arguments);
    }

    /// The same for a class that is not known here, on a class path that the options name.
    public static Result run(Duration limit, List<String> options, String program) {
        return run(limit, System.getenv().getOrDefault("LD_PRELOAD", JSIG), Map.of(), options, program);
    }

    /// The same with other libraries preloaded.
    ///
    /// @param preload as `LD_PRELOAD` has it; may be empty
    public static Result run(Duration limit, String preload, List<String> options, Class<?> program, String... arguments) {
        return run(limit, preload, Map.of(), options, program, arguments);
    }

    /// Variables for a program that leaves objects of the driver to the end of its process: on an emulated GPU that is an offence otherwise. None if there is none here.
    public static Map<String, String> leaksIgnored() {
        String profile = System.getenv("HMM_EMULATED_GPU");
        return profile == null ? Map.of() : Map.of("HMM_EMULATED_GPU", profile + (profile.contains(":") ? "," : ":") + "leaks=ignore");
    }

    /// The same in an environment that has these variables, too: drivers read theirs when a process begins.
    public static Result run(Duration limit, String preload, Map<String, String> environment, List<String> options, Class<?> program, String... arguments) {
        return run(limit, preload, environment, options, program.getName(), arguments);
    }

    private static Result run(Duration limit, String preload, Map<String, String> environment, List<String> options, String program, String... arguments) {
        try {
            Path output = Files.createTempFile("hmm-child", ".log");
            try {
                Process child = start(output, preload, environment, options, program, arguments);
                if (child.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                    return new Result(child.exitValue(), Files.readString(output));
                }
                throw new AssertionError("still running after " + limit + ": " + stacks(child, output));
            } finally {
                Files.delete(output);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static Process start(Path output, String preload, Map<String, String> environment, List<String> options, String program,
            String... arguments) throws IOException {
        Path java = Path.of(System.getProperty("java.home"));
        List<String> command = new ArrayList<>(List.of(java.resolve("bin/java").toString(), "-ea", "--enable-native-access=ALL-UNNAMED", "-XX:-CreateCoredumpOnCrash",
                "-XX:+ErrorFileToStdout"));
        for (String name : List.of("org.lwjgl.opencl.libname", "org.lwjgl.system.memoryBackend", "org.slf4j.simpleLogger.defaultLogLevel")) {
            if (System.getProperty(name) != null) {
                command.add("-D" + name + "=" + System.getProperty(name));
            }
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.addAll(options); // which may name another class path
        command.add(program);
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().put("LD_PRELOAD", preload);
        builder.environment().putAll(environment);
        return builder.start();
    }

    /// Everything that can be had of a process that hangs, which is ended then.
    private static String stacks(Process child, Path output) throws IOException, InterruptedException {
        String threads = kernelView(child.pid());
        new ProcessBuilder("kill", "-QUIT", Long.toString(child.pid())).start().waitFor();
        child.waitFor(PATIENCE_FOR_DUMP.toMillis(), TimeUnit.MILLISECONDS); // a JVM prints its stacks and goes on, unless it cannot reach a safepoint either
        child.destroyForcibly().waitFor();
        return Files.readString(output) + "\nthreads as the kernel sees them (name, waits in, system call):\n" + threads;
    }

    /// Where threads are stopped that no safepoint reaches.
    private static String kernelView(long pid) throws IOException {
        StringBuilder text = new StringBuilder();
        try (Stream<Path> threads = Files.list(Path.of("/proc", Long.toString(pid), "task"))) {
            threads.forEach(thread -> text.append(line(thread, "comm")).append(' ').append(line(thread, "wchan")).append(' ').append(line(thread, "syscall")).append('\n'));
        }
        return text.toString();
    }

    private static String line(Path thread, String file) {
        try {
            return Files.readString(thread.resolve(file)).strip();
        } catch (IOException e) {
            return "?"; // it has ended, or we may not look
        }
    }
}
