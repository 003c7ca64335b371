package io.github.hmm4j.demos;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The launcher `demos/hmm` on a made-up machine: its PATH is one folder, in which apt, Maven, the compiler and the JDK
/// are scripts that write down how they were called. The tree it stands in has a blank in its name.
class LauncherTest {
    private static final List<String> BASIC_TOOLS = List.of("cat", "cp", "date", "dirname", "env", "find", "flock",
            "grep", "head", "mkdir", "mv", "readlink", "rm", "sed", "sleep", "sort", "tail", "touch", "tr");

    @TempDir
    private Path machine;

    private Path bin;
    private Path tree;
    private Path launcher;
    private Path calls;
    private final Map<String, String> environment = new TreeMap<>();

    private record Outcome(int status, String out, String err) {}

    @BeforeEach
    void bareMachine() throws IOException {
        bin = Files.createDirectories(machine.resolve("bin"));
        calls = Files.createFile(machine.resolve("calls"));
        for (String tool : BASIC_TOOLS) {
            script(tool, "exec " + realTool(tool) + " \"$@\"");
        }
        Path libraries = Files.createDirectories(machine.resolve("lib"));
        script("ldconfig", "echo '  libc.so.6 (x) => " + libraries + "/libc.so.6'");
        Files.createDirectories(machine.resolve("vendors"));
        tree = Files.createDirectories(machine.resolve("a tree/demos/src/main")).getParent().getParent().getParent();
        Files.createFile(tree.resolve("pom.xml"));
        Files.createFile(tree.resolve("demos/pom.xml"));
        launcher = Files.copy(Path.of("hmm").toAbsolutePath(), tree.resolve("demos/hmm"));
        Files.createDirectory(tree.resolve("demos/launcher"));
        for (String part : List.of("common.sh", "bundle.sh")) {
            Files.copy(Path.of("launcher", part).toAbsolutePath(), tree.resolve("demos/launcher").resolve(part));
        }
        environment.putAll(Map.of("PATH", bin.toString(), "OCL_ICD_VENDORS", machine.resolve("vendors").toString(),
                "JAVA25_HOME", fakeJdk().toString()));
    }

    @Test
    void helpNeedsNothing() throws Exception {
        Outcome help = hmm("--help");
        assertThat(help.status()).isZero();
        assertThat(help.out()).contains("setup", "devices", "demo [NAME|all]", "bench NAME", "test", "bundle");
        assertThat(hmm("help").out()).isEqualTo(help.out());
        assertThat(hmm("setup", "--help").status()).isZero();
        assertThat(hmm("test", "--help").status()).isZero();
        assertThat(hmm("bundle", "--help").out()).contains("--out FILE", "25 MiB");
        assertThat(tree.resolve("demos/target")).doesNotExist();
    }

    @Test
    void saysItsVersion() throws Exception {
        Files.writeString(tree.resolve("pom.xml"), "<project>\n  <version>1.2.3</version>\n  <build>\n      <version>9</version>\n");
        script("git", "echo abc123+");
        assertThat(hmm("--version").out()).isEqualTo("hmm4j 1.2.3 (abc123+)\n");
        assertThat(tree.resolve("demos/target")).doesNotExist();
    }

    /// On a machine with nothing, and while another build of the tree holds the lock.
    @Test
    void helpOfACommandNeitherBuildsNorWaits() throws Exception {
        Outcome unbuilt = hmm("demo", "matmul", "--help");
        assertThat(unbuilt.status()).isZero();
        assertThat(unbuilt.out()).contains("demo [NAME|all]", "are shown once the project is built");

        readyMachine();
        assertThat(hmm("devices").status()).isZero();
        Files.writeString(calls, "");
        Path source = Files.createFile(tree.resolve("demos/src/main/New.java"));
        Files.setLastModifiedTime(source, FileTime.fromMillis(System.currentTimeMillis() + 60_000));
        Process other = new ProcessBuilder(realTool("flock").toString(), launcher.toString(), "cat").start();
        try {
            other.outputWriter().append("locked\n").flush();
            assertThat(other.inputReader().readLine()).isEqualTo("locked");
            assertThat(hmm("demo", "--help").out()).contains("<demo>", "<--help>");
        } finally {
            other.outputWriter().close();
            other.waitFor();
        }
        assertThat(calls).isEmptyFile();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "dance", "setup now", "test fast", "bundle now", "bundle --out", "bundle --out bundle.zip", "bundle --out no/such/b.tar.xz"})
    void refusesWhatItDoesNotKnow(String line) throws Exception {
        Outcome refused = hmm(line.isEmpty() ? new String[0] : line.split(" "));
        assertThat(refused.status()).isEqualTo(2);
        assertThat(refused.out()).isEmpty();
        assertThat(refused.err()).contains("demos/hmm");
    }

    @Test
    void printsTheCommandsWhereItMayNotInstall() throws Exception {
        script("id", "echo 1000");
        script("sudo", "exit 1"); // it would ask for a password
        script("apt-get", "echo \"apt-get $*\" >>'" + calls + "'");
        script("apt-cache", "echo '  Candidate: 1.0'");
        Outcome setup = hmm("setup");
        assertThat(setup.status()).isEqualTo(1);
        assertThat(setup.out()).containsPattern("JDK 25 +found").containsPattern("OpenCL driver +missing");
        assertThat(setup.err()).contains("sudo apt-get install -y --no-install-recommends maven ocl-icd-libopencl1 "
                + "pocl-opencl-icd gcc libc6-dev binutils oclgrind spin clinfo xz-utils chromium").doesNotContain("failed");
        assertThat(calls).isEmptyFile();
    }

    @Test
    void installsWhatIsMissingAndThenNothing() throws Exception {
        aptThatInstalls();
        Outcome first = hmm("setup");
        assertThat(first.status()).isZero();
        assertThat(first.out()).containsPattern("Maven +installed").contains("Ready.");
        assertThat(calls).content().contains("update", "pocl-opencl-icd");

        Files.writeString(calls, "");
        Outcome second = hmm("setup");
        assertThat(second.status()).isZero();
        assertThat(second.out()).contains("nothing was installed").doesNotContain("installed ", "missing");
        assertThat(calls).isEmptyFile();
    }

    @Test
    void keepsTheDriverThatIsThere() throws Exception {
        aptThatInstalls();
        driver("libgpu.so.1", true);
        assertThat(hmm("setup").status()).isZero();
        assertThat(calls).content().contains("maven").doesNotContain("pocl");
    }

    @Test
    void doesNotCountADriverWhoseLibraryIsGone() throws Exception {
        driver("libgpu.so.1", false);
        assertThat(hmm("setup").out()).containsPattern("OpenCL driver +missing");
    }

    @Test
    void buildsOnlyWhatIsStale() throws Exception {
        readyMachine();
        assertThat(hmm("devices").status()).isZero();
        assertThat(calls).content().contains("-Dmaven.test.skip=true package");

        Files.writeString(calls, "");
        hmm("devices");
        assertThat(calls).isEmptyFile();

        Path source = Files.createFile(tree.resolve("demos/src/main/New.java"));
        Files.setLastModifiedTime(source, FileTime.fromMillis(System.currentTimeMillis() + 60_000));
        hmm("devices");
        assertThat(calls).content().contains("package");
    }

    @Test
    void handsEverythingOverFromAnyFolderAndThroughALink() throws Exception {
        readyMachine();
        environment.put("LD_PRELOAD", "libc.so.6");
        Path link = Files.createSymbolicLink(machine.resolve("link"), launcher);
        Outcome run = run(machine.resolve("lib"), link.toString(), "demo", "all", "--json", "a file");
        assertThat(run.status()).isZero();
        assertThat(run.out().lines()).contains("<demo>", "<all>", "<--json>", "<a file>",
                "LD_PRELOAD=" + environment.get("JAVA25_HOME") + "/lib/libjsig.so:libc.so.6",
                "POCL_CACHE_DIR=" + tree.resolve("demos/target/pocl"), "<--enable-native-access=ALL-UNNAMED>");
    }

    @Test
    void saysThatAFolderWithAColonIsOfNoUse() throws Exception {
        readyMachine();
        Path odd = Files.move(tree, machine.resolve("a:tree"));
        Outcome refused = run(machine, odd.resolve("demos/hmm").toString(), "devices");
        assertThat(refused.status()).isEqualTo(1);
        assertThat(refused.err()).contains("move this tree", odd.toString());
        assertThat(run(machine, odd.resolve("demos/hmm").toString(), "--help").status()).isZero();
        assertThat(calls).isEmptyFile();
    }

    @Test
    void passesOnTheExitStatusOfTheCommand() throws Exception {
        readyMachine();
        environment.put("FAKE_STATUS", "2");
        assertThat(hmm("demo", "--nonsense").status()).isEqualTo(2);
    }

    @Test
    void showsTheEndOfAFailedBuildAndTriesAgain() throws Exception {
        readyMachine();
        String good = Files.readString(bin.resolve("mvn"));
        script("mvn", "echo '[ERROR] A.java: no such thing'; exit 1");
        Outcome failed = hmm("devices");
        assertThat(failed.status()).isEqualTo(1);
        assertThat(failed.out()).isEmpty();
        assertThat(failed.err()).contains("no such thing", tree.resolve("demos/target/hmm-build.log").toString());

        Files.writeString(bin.resolve("mvn"), good);
        assertThat(hmm("devices").status()).isZero();
    }

    @Test
    void testRunsTheWholeVerification() throws Exception {
        readyMachine();
        assertThat(hmm("test").status()).isZero();
        assertThat(calls).content().contains("verify", "-Djsig=" + environment.get("JAVA25_HOME") + "/lib/libjsig.so");
        assertThat(calls).content().doesNotContain("-Pexhaustive");
        assertThat(hmm("test", "--all").status()).isZero();
        assertThat(calls).content().contains("-Pexhaustive");
        assertThat(hmm("test", "--al").status()).isEqualTo(2);
        script("mvn", "exit 7");
        assertThat(hmm("test").status()).isEqualTo(1);
    }

    @Test
    void aBundleNeedsXz() throws Exception {
        readyMachine();
        script("uname", "echo Linux x86_64");
        Outcome bundle = hmm("bundle");
        assertThat(bundle.status()).isEqualTo(1);
        assertThat(bundle.out()).isEmpty();
        assertThat(bundle.err()).contains("packing needs xz (Debian: xz-utils)");
        assertThat(calls).isEmptyFile();
    }

    private void readyMachine() throws IOException {
        script("cc", "exit 0");
        script("ld", "exit 0");
        Files.createFile(machine.resolve("lib/libOpenCL.so.1"));
        driver("libgpu.so.1", true);
        script("mvn", "echo \"$*\" >>'" + calls + "'", "cd '" + tree + "/demos'", "mkdir -p target/lib",
                "touch target/demos.jar");
    }

    /// Registers a driver as vendors do: a file that names a library, here without a newline at its end.
    private void driver(String library, boolean there) throws IOException {
        Files.writeString(machine.resolve("vendors/some.icd"), library);
        if (there) {
            Files.createFile(machine.resolve("lib").resolve(library));
        }
    }

    /// Root, with an apt whose packages are empty scripts and files where the launcher looks for them.
    private void aptThatInstalls() throws IOException {
        script("id", "echo 0");
        script("apt-cache", "echo '  Candidate: 1.0'");
        script("apt-get", "echo \"apt-get $*\" >>'" + calls + "'", "case $* in *' install '*) ;; *) exit 0 ;; esac",
                "for tool in mvn cc ld oclgrind spin clinfo xz chromium; do cp '" + bin.resolve("id") + "' '" + bin + "'/$tool; done",
                "touch '" + machine + "/lib/libOpenCL.so.1' '" + machine + "/lib/libpocl.so.2'",
                "case $* in *pocl*) echo libpocl.so.2 >'" + machine + "/vendors/pocl.icd' ;; esac");
    }

    private Path fakeJdk() throws IOException {
        Path jdk = Files.createDirectories(machine.resolve("jdk/bin")).getParent();
        Files.createDirectories(jdk.resolve("lib"));
        Files.createFile(jdk.resolve("lib/libjsig.so"));
        Files.writeString(jdk.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"25.0.3\"\n");
        executable(jdk.resolve("bin/javac"), "exit 0");
        executable(jdk.resolve("bin/java"), "printf '<%s>\\n' \"$@\"", "echo LD_PRELOAD=$LD_PRELOAD",
                "echo \"POCL_CACHE_DIR=$POCL_CACHE_DIR\"", "exit ${FAKE_STATUS:-0}");
        return jdk.toRealPath();
    }

    private void script(String name, String... lines) throws IOException {
        executable(bin.resolve(name), lines);
    }

    private static void executable(Path file, String... lines) throws IOException {
        Files.writeString(file, "#!/bin/sh\n" + String.join("\n", lines) + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static Path realTool(String name) {
        return Stream.of("/usr/bin", "/bin", "/usr/sbin", "/sbin").map(folder -> Path.of(folder, name))
                .filter(Files::isExecutable).findFirst().orElseThrow(() -> new AssertionError("tool=" + name));
    }

    private Outcome hmm(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(launcher.toString()));
        command.addAll(List.of(arguments));
        return run(machine, command.toArray(String[]::new));
    }

    private Outcome run(Path folder, String... command) throws Exception {
        Path out = machine.resolve("out");
        Path err = machine.resolve("err");
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile())
                .redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        int status = builder.start().waitFor();
        return new Outcome(status, Files.readString(out, StandardCharsets.UTF_8),
                Files.readString(err, StandardCharsets.UTF_8));
    }
}
