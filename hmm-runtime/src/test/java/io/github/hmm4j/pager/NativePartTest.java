package io.github.hmm4j.pager;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The tests of the native part, which are C themselves (`src/test/c`): compiled with it three times, and run on every rung that this machine accepts.
class NativePartTest {

    private static final Path SOURCES = Path.of("src").toAbsolutePath();

    enum Build {
        PLAIN(List.of("-O2"), List.of()),
        ADDRESSES(List.of("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"), List.of("quick")),
        THREADS(List.of("-O1", "-fsanitize=thread"), List.of("quick"));

        private final List<String> flags;
        private final List<String> arguments;

        Build(List<String> flags, List<String> arguments) {
            this.flags = flags;
            this.arguments = arguments;
        }
    }

    @Test
    @Timeout(value = 600, unit = TimeUnit.SECONDS)
    void passesItsTests() throws IOException, InterruptedException {
        passes(Build.PLAIN);
    }

    @Tag("exhaustive")
    @ParameterizedTest
    @EnumSource(names = {"ADDRESSES", "THREADS"})
    @Timeout(value = 600, unit = TimeUnit.SECONDS)
    void passesThemUnderSanitizers(Build build) throws IOException, InterruptedException {
        passes(build);
    }

    private static void passes(Build build) throws IOException, InterruptedException {
        Path folder = Files.createDirectories(Path.of("target", "native-tests", build.name()).toAbsolutePath());
        Path trivial = Files.writeString(folder.resolve("trivial.c"), "int main(void) { return 0; }\n");
        assumeTrue(works(folder, build, trivial), "there is no cc, or none that can " + build.flags);

        CommandLine.Outcome compiled = compile(folder, build, "native-tests", sources());
        assertEquals(0, compiled.status(), compiled::output);

        List<String> command = new ArrayList<>(List.of(folder.resolve("native-tests").toString()));
        command.addAll(build.arguments);
        CommandLine.Outcome outcome = CommandLine.run(folder, command);
        assumeTrue(outcome.status() != 4, () -> "no rung is accepted here: " + outcome.output());
        assertEquals(0, outcome.status(), outcome::output);
    }

    /// Several copies of the library in one process, as several class loaders bring them, beside signal handlers of
    /// others.
    @Test
    @Timeout(value = 120, unit = TimeUnit.SECONDS)
    void copiesOfTheLibraryStandBesideEachOther() throws IOException, InterruptedException {
        Path folder = Files.createDirectories(Path.of("target", "native-tests", "copies").toAbsolutePath());
        String script = SOURCES.resolve("main/c/build.sh").toString();
        CommandLine.Outcome built = CommandLine.run(folder, List.of("sh", script, folder.toString()));
        assertEquals(0, built.status(), built::output);
        String machine = System.getProperty("os.arch").replace("amd64", "x86_64");
        Path library = folder.resolve("linux-" + machine).resolve("libhmm.so");
        assumeTrue(Files.exists(library), built::output);

        List<String> command = new ArrayList<>(List.of(folder.resolve("copies").toString()));
        for (String name : List.of("a.so", "b.so")) {
            command.add(Files.copy(library, folder.resolve(name), StandardCopyOption.REPLACE_EXISTING).toString());
        }
        String source = SOURCES.resolve("test/c/copies/copies.c").toString();
        CommandLine.Outcome compiled = compile(folder, Build.PLAIN, "copies", List.of(source));
        assertEquals(0, compiled.status(), compiled::output);
        CommandLine.Outcome outcome = CommandLine.run(folder, command);
        assertEquals(0, outcome.status(), outcome::output);
    }

    private static boolean works(Path folder, Build build, Path trivial) throws InterruptedException {
        try {
            return compile(folder, build, "trivial", List.of(trivial.toString())).status() == 0
                    && CommandLine.run(folder, List.of(folder.resolve("trivial").toString())).status() == 0;
        } catch (UncheckedIOException _) {
            return false;
        }
    }

    private static CommandLine.Outcome compile(Path folder, Build build, String program, List<String> sources) throws InterruptedException {
        List<String> command = new ArrayList<>(List.of("cc", "-std=c17", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-g", "-fvisibility=hidden", "-DSTUCK_NANOS=300000000ULL",
                "-Wl,--wrap=ioctl,--wrap=read,--wrap=mprotect", // system.c
                "-I" + SOURCES.resolve("main/c"), "-I" + SOURCES.resolve("test/c"), "-o", program));
        command.addAll(build.flags);
        command.addAll(sources);
        command.addAll(List.of("-pthread", "-ldl"));
        return CommandLine.run(folder, command);
    }

    private static List<String> sources() throws IOException {
        List<String> sources = new ArrayList<>();
        for (String folder : List.of("main/c", "test/c")) {
            try (Stream<Path> files = Files.list(SOURCES.resolve(folder))) {
                files.map(Path::toString).filter(name -> name.endsWith(".c")).sorted().forEach(sources::add);
            }
        }
        return sources;
    }
}
