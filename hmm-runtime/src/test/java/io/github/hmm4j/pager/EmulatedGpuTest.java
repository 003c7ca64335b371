package io.github.hmm4j.pager;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The tests of the emulated GPU, which are small OpenCL programs in C (`src/test/c/gpu`): each runs in a process of its
/// own, with the layer and without. The sanitizers see the layer and the programs, not the driver below.
class EmulatedGpuTest {

    private static final Path SOURCES = Path.of("src").toAbsolutePath();

    enum Build {
        PLAIN(List.of("-O2"), List.of()),
        ADDRESSES(List.of("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"), List.of("nvidia")),
        THREADS(List.of("-O1", "-fsanitize=thread"), List.of("nvidia"));

        private final List<String> flags;
        private final List<String> arguments;

        Build(List<String> flags, List<String> arguments) {
            this.flags = flags;
            this.arguments = arguments;
        }
    }

    @Test
    @Timeout(value = 900, unit = TimeUnit.SECONDS)
    void passesItsTests() throws IOException, InterruptedException {
        passes(Build.PLAIN);
    }

    @Tag("exhaustive")
    @ParameterizedTest
    @EnumSource(names = {"ADDRESSES", "THREADS"})
    @Timeout(value = 900, unit = TimeUnit.SECONDS)
    void passesThemUnderSanitizers(Build build) throws IOException, InterruptedException {
        passes(build);
    }

    private static void passes(Build build) throws IOException, InterruptedException {
        Path folder = Files.createDirectories(Path.of("target", "gpu-tests", build.name()).toAbsolutePath());
        Path trivial = Files.writeString(folder.resolve("trivial.c"), "int main(void) { return 0; }\n");
        assumeTrue(works(folder, build, trivial), "there is no cc or no libOpenCL.so.1, or none that can " + build.flags);

        Path layer = folder.resolve("libhmm-emulated-gpu.so");
        List<String> library = new ArrayList<>(List.of("-fPIC", "-shared", "-o", layer.toString()));
        library.addAll(sources("main/c/gpu"));
        CommandLine.Outcome compiled = compile(folder, build, library);
        assertEquals(0, compiled.status(), compiled::output);
        List<String> program = new ArrayList<>(List.of("-o", "gpu-test"));
        program.addAll(sources("test/c/gpu"));
        compiled = compile(folder, build, program);
        assertEquals(0, compiled.status(), compiled::output);

        // The driver is not ours to look for leaks and races in.
        List<String> command = new ArrayList<>(List.of("env", "ASAN_OPTIONS=detect_leaks=0",
                "TSAN_OPTIONS=ignore_noninstrumented_modules=1", folder.resolve("gpu-test").toString(), layer.toString()));
        command.addAll(build.arguments);
        CommandLine.Outcome outcome = CommandLine.run(folder, command);
        assumeTrue(outcome.status() != 4, "there is no OpenCL device");
        assertEquals(0, outcome.status(), outcome::output);
    }

    private static boolean works(Path folder, Build build, Path trivial) throws InterruptedException {
        try {
            return compile(folder, build, List.of("-o", "trivial", trivial.toString())).status() == 0
                    && CommandLine.run(folder, List.of(folder.resolve("trivial").toString())).status() == 0;
        } catch (UncheckedIOException _) {
            return false;
        }
    }

    private static CommandLine.Outcome compile(Path folder, Build build, List<String> arguments) throws InterruptedException {
        List<String> command = new ArrayList<>(List.of("cc", "-std=c17", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-g",
                "-fvisibility=hidden", "-I" + SOURCES.resolve("main/c/gpu")));
        command.addAll(build.flags);
        command.addAll(arguments);
        command.addAll(List.of("-pthread", "-l:libOpenCL.so.1"));
        return CommandLine.run(folder, command);
    }

    private static List<String> sources(String folder) throws IOException {
        try (Stream<Path> files = Files.list(SOURCES.resolve(folder))) {
            return files.map(Path::toString).filter(name -> name.endsWith(".c")).sorted().toList();
        }
    }
}
