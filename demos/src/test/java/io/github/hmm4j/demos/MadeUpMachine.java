package io.github.hmm4j.demos;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/// A made-up machine for tests of the launcher `demos/hmm`: its PATH is one folder, in which apt, Maven, the compiler and
/// the JDK are scripts that write down how they were called. The tree it stands in has a blank in its name.
abstract class MadeUpMachine {
    private static final List<String> BASIC_TOOLS = List.of("cat", "cp", "date", "dirname", "env", "find", "flock",
            "grep", "head", "mkdir", "mv", "readlink", "rm", "sed", "sleep", "sort", "tail", "touch", "tr");

    @TempDir
    Path machine;

    Path bin;
    Path tree;
    Path launcher;
    Path calls;
    final Map<String, String> environment = new TreeMap<>();

    record Outcome(int status, String out, String err) {}

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
        // the JDKs of the machine that tests are none of this one's
        Files.writeString(launcher, Files.readString(launcher).replace("/usr/lib/jvm/", machine.resolve("jvm") + "/"));
        Files.createDirectory(tree.resolve("demos/launcher"));
        for (String part : List.of("common.sh", "bundle.sh", "jdk.sh", "new.sh")) {
            Files.copy(Path.of("launcher", part).toAbsolutePath(), tree.resolve("demos/launcher").resolve(part));
        }
        environment.putAll(Map.of("PATH", bin.toString(), "OCL_ICD_VENDORS", machine.resolve("vendors").toString(),
                "JAVA25_HOME", fakeJdk().toString(), "XDG_CACHE_HOME", machine.resolve("cache").toString(),
                "HMM_JDK_SITE", "http://127.0.0.1:9")); // where nobody answers
    }

    void readyMachine() throws IOException {
        script("cc", "exit 0");
        script("ld", "exit 0");
        Files.createFile(machine.resolve("lib/libOpenCL.so.1"));
        driver("libgpu.so.1", true);
        script("mvn", "echo \"$*\" >>'" + calls + "'", "cd '" + tree + "/demos'", "mkdir -p target/lib",
                "touch target/demos.jar");
    }

    /// Registers a driver as vendors do: a file that names a library, here without a newline at its end.
    void driver(String library, boolean there) throws IOException {
        Files.writeString(machine.resolve("vendors/some.icd"), library);
        if (there) {
            Files.createFile(machine.resolve("lib").resolve(library));
        }
    }

    /// Root, with an apt whose packages are empty scripts and files where the launcher looks for them.
    void aptThatInstalls() throws IOException {
        script("id", "echo 0");
        script("apt-cache", "echo '  Candidate: 1.0'");
        script("apt-get", "echo \"apt-get $*\" >>'" + calls + "'", "case $* in *' install '*) ;; *) exit 0 ;; esac",
                "for tool in mvn cc ld oclgrind spin clinfo xz chromium; do cp '" + bin.resolve("id") + "' '" + bin + "'/$tool; done",
                "touch '" + machine + "/lib/libOpenCL.so.1' '" + machine + "/lib/libpocl.so.2' '" + machine + "/lib/libRusticlOpenCL.so.1'",
                "case $* in *pocl*) echo libpocl.so.2 >'" + machine + "/vendors/pocl.icd' ;; esac");
    }

    private Path fakeJdk() throws IOException {
        return jdkAt(machine.resolve("jdk"));
    }

    static Path jdkAt(Path folder) throws IOException {
        Path jdk = Files.createDirectories(folder.resolve("bin")).getParent();
        Files.createDirectories(jdk.resolve("lib"));
        Files.createFile(jdk.resolve("lib/libjsig.so"));
        Files.writeString(jdk.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"25.0.3\"\n");
        executable(jdk.resolve("bin/javac"), "exit 0");
        executable(jdk.resolve("bin/java"), "printf '<%s>\\n' \"$@\"", "echo LD_PRELOAD=$LD_PRELOAD",
                "echo \"POCL_CACHE_DIR=$POCL_CACHE_DIR\"", "exit ${FAKE_STATUS:-0}");
        return jdk.toRealPath();
    }

    void script(String name, String... lines) throws IOException {
        executable(bin.resolve(name), lines);
    }

    static void executable(Path file, String... lines) throws IOException {
        Files.writeString(file, "#!/bin/sh\n" + String.join("\n", lines) + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    static Path realTool(String name) {
        return Stream.of("/usr/bin", "/bin", "/usr/sbin", "/sbin").map(folder -> Path.of(folder, name))
                .filter(Files::isExecutable).findFirst().orElseThrow(() -> new AssertionError("tool=" + name));
    }

    Outcome hmm(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(launcher.toString()));
        command.addAll(List.of(arguments));
        return run(machine, command.toArray(String[]::new));
    }

    Outcome run(Path folder, String... command) throws Exception {
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
