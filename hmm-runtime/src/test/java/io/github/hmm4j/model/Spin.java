package io.github.hmm4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Searches through a model of `src/test/spin`.
final class Spin {

    private static final Path SCRATCH = Path.of("target/spin").toAbsolutePath();

    private final Path model;

    /// @param file its name
    Spin(String file) {
        model = Path.of("src/test/spin", file).toAbsolutePath();
    }

    /// Skips the test where the tools are missing.
    static void require() throws IOException, InterruptedException {
        Files.createDirectories(SCRATCH);
        assumeTrue(isThere("spin", "-V"), "spin is not installed (Debian package: spin)");
        assumeTrue(isThere("cc", "--version"), "there is no C compiler (Debian package: gcc)");
    }

    private static boolean isThere(String... command) throws InterruptedException {
        try {
            execute(SCRATCH, command);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /// Whether a mutant is in the source at all.
    void assertMentions(String define) throws IOException {
        assertThat(Files.readString(model)).contains(define);
    }

    /// A complete search that found nothing, and came to every step of these processes that is marked with `reach:`.
    void assertHolds(String report, List<String> processes) throws IOException {
        assertThat(report).contains("errors: 0", "Full statespace search for:").doesNotContain("pan:1:", "max search depth too small", "Search not completed", "out of memory")
                .containsPattern("invalid end states\\s+\\+").containsPattern("assertion violations\\s+\\+");
        List<String> lines = Files.readAllLines(model);
        for (String process : processes) {
            String unreached = report.substring(report.indexOf("unreached in proctype " + process));
            unreached = unreached.substring(0, unreached.indexOf(" of ") < 0 ? unreached.length() : unreached.indexOf(" of "));
            for (String line : unreached.lines().filter(line -> line.contains(".pml:")).toList()) {
                int at = Integer.parseInt(line.replaceAll(".*\\.pml:(\\d+),.*", "$1"));
                assertThat(lines.get(at - 1)).as("%s never comes to line %d", process, at).doesNotContain("reach:");
            }
        }
    }

    /// A search through a mutant that is in the source found what is wrong with it.
    ///
    /// @param name      of the model without it
    /// @param defines   beside the mutant
    /// @param violation as Spin says it
    void assertRefutes(String name, String mutant, String violation, String... defines) throws IOException, InterruptedException {
        assertMentions("MUTANT_" + mutant);
        List<String> all = new ArrayList<>(List.of(defines));
        all.add("-DMUTANT_" + mutant);
        assertThat(search(name + "-mutant-" + mutant, all)).contains("errors: 1", "pan:1: " + violation);
    }

    /// @param name    of the folder in which it is made
    /// @param options of the search
    /// @return what it says
    String search(String name, List<String> defines, String... options) throws IOException, InterruptedException {
        Path folder = Files.createDirectories(SCRATCH.resolve(name));
        Path copy = folder.resolve(model.getFileName());
        Files.deleteIfExists(copy);
        Files.copy(model, copy);
        List<String> spin = new ArrayList<>(List.of("spin", "-a"));
        spin.addAll(defines);
        spin.add(copy.toString());
        execute(folder, spin.toArray(String[]::new));
        execute(folder, "cc", "-O1", "-w", "-DCOLLAPSE", "-DMEMLIM=4000", "-DSAFETY", "-o", "pan", "pan.c");
        List<String> pan = new ArrayList<>(List.of("./pan", "-m100000"));
        pan.addAll(Arrays.asList(options));
        return execute(folder, pan.toArray(String[]::new));
    }

    private static String execute(Path folder, String... command) throws IOException, InterruptedException {
        Path output = folder.resolve(command[0].replace("./", "") + ".txt");
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().remove("LD_PRELOAD"); // the JVM's, of no use to others
        builder.environment().put("LC_ALL", "C");
        Process process = builder.start();
        try {
            assertThat(process.waitFor(18, TimeUnit.MINUTES)).as("%s ends", List.of(command)).isTrue();
            return Files.readString(output);
        } finally {
            process.destroyForcibly();
        }
    }
}
