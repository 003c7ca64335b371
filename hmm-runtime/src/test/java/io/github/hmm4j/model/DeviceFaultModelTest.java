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
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A device whose kernels fault, as `src/test/spin/faulting-device.pml` says it, is right in every scenario, and each mutant of it is wrong in the way that its name says.
@Timeout(300)
@Tag("exhaustive")
class DeviceFaultModelTest {

    private static final Path MODEL = Path.of("src/test/spin/faulting-device.pml").toAbsolutePath();
    private static final Path SCRATCH = Path.of("target/spin").toAbsolutePath();

    private enum Scenario { ONE_KERNEL, TWO_KERNELS, FETCHED }

    /// A mistake that somebody could make, where it shows, and as what: a property's name, or a deadlock.
    private enum Mutant {
        COPY_BEFORE_WITHHOLDING(Scenario.ONE_KERNEL, "LOST_WRITE"),
        EVICT_WITHOUT_CLAIM(Scenario.ONE_KERNEL, "LOST_WRITE"),
        FORBID_LATE(Scenario.ONE_KERNEL, "LOST_WRITE"),
        TAKE_LATE(Scenario.FETCHED, "STALE_READ"),
        DROP_IN_WORD_ONLY(Scenario.FETCHED, "STALE_READ"),
        EVICT_IN_JAVA(Scenario.ONE_KERNEL, "");

        private final Scenario scenario;
        private final String violation;

        Mutant(Scenario scenario, String violation) {
            this.scenario = scenario;
            this.violation = violation;
        }
    }

    @BeforeAll
    static void needsSpin() throws IOException, InterruptedException {
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

    @ParameterizedTest
    @EnumSource
    void holds(Scenario scenario) throws Exception {
        String report = search("faulting-" + scenario, List.of("-D" + scenario));
        assertThat(report).contains("errors: 0", "Full statespace search for:").doesNotContain("pan:1:", "max search depth too small", "Search not completed", "out of memory")
                .containsPattern("invalid end states\\s+\\+").containsPattern("assertion violations\\s+\\+");
        List<String> model = Files.readAllLines(MODEL);
        for (String process : scenario == Scenario.FETCHED ? List.of("Kernel", "Cpu", "Fetcher", "Safepoint") : List.of("Kernel", "Cpu", "Safepoint")) {
            String unreached = report.substring(report.indexOf("unreached in proctype " + process));
            unreached = unreached.substring(0, unreached.indexOf(" of ") < 0 ? unreached.length() : unreached.indexOf(" of "));
            for (String line : unreached.lines().filter(line -> line.contains(".pml:")).toList()) {
                int at = Integer.parseInt(line.replaceAll(".*\\.pml:(\\d+),.*", "$1"));
                assertThat(model.get(at - 1)).as("%s never comes to line %d", process, at).doesNotContain("reach:");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void refutes(Mutant mutant) throws Exception {
        List<String> defines = new ArrayList<>(List.of("-D" + mutant.scenario, "-DMUTANT_" + mutant));
        boolean deadlock = mutant.violation.isEmpty();
        if (!deadlock) {
            defines.add("-DONLY=" + mutant.violation);
        }
        assertThat(Files.readString(MODEL)).contains("MUTANT_" + mutant);
        assertThat(search("faulting-mutant-" + mutant, defines, deadlock ? "-A" : "-E")).contains("errors: 1", deadlock ? "pan:1: invalid end state" : "pan:1: assertion violated");
    }

    private static String search(String name, List<String> defines, String... options) throws IOException, InterruptedException {
        Path folder = Files.createDirectories(SCRATCH.resolve(name));
        Path copy = folder.resolve(MODEL.getFileName());
        Files.deleteIfExists(copy);
        Files.copy(MODEL, copy);
        List<String> spin = new ArrayList<>(List.of("spin", "-a"));
        spin.addAll(defines);
        spin.add(copy.toString());
        execute(folder, spin.toArray(String[]::new));
        execute(folder, "cc", "-O2", "-w", "-DCOLLAPSE", "-DMEMLIM=4000", "-DSAFETY", "-o", "pan", "pan.c");
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
            assertThat(process.waitFor(4, TimeUnit.MINUTES)).as("%s ends", List.of(command)).isTrue();
            return Files.readString(output);
        } finally {
            process.destroyForcibly();
        }
    }
}
