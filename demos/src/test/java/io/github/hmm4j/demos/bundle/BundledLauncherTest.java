package io.github.hmm4j.demos.bundle;

import static org.assertj.core.api.Assertions.assertThat;

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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The launcher of a bundle on a made-up machine: its Java is a script that writes down how it was called, and its dynamic linker knows one folder of libraries. The bundle
/// lies in a folder with a blank in its name.
class BundledLauncherTest {
    private static final byte[] LIBRARY_64 = {0x7f, 'E', 'L', 'F', 2};
    private static final byte[] LIBRARY_32 = {0x7f, 'E', 'L', 'F', 1};

    @TempDir
    private Path machine;

    private Path root;
    private Path libraries;
    private final Map<String, String> environment = new TreeMap<>();

    private record Outcome(int status, String out, String err) {
        List<String> lines() {
            return out.lines().toList();
        }
    }

    @BeforeEach
    void unpacked() throws IOException {
        root = Files.createDirectories(machine.resolve("a bundle/hmm4j")).toRealPath();
        libraries = Files.createDirectories(machine.resolve("lib")).toRealPath();
        for (String folder : List.of("launcher", "jre/bin", "jre/lib", "opencl")) {
            Files.createDirectories(root.resolve(folder));
        }
        Files.copy(Path.of("launcher/bundled-hmm"), root.resolve("hmm"));
        Files.copy(Path.of("launcher/common.sh"), root.resolve("launcher/common.sh"));
        Files.writeString(root.resolve("commit"), "abc123\n");
        Files.createFile(root.resolve("jre/lib/libjsig.so"));
        script(root.resolve("jre/bin/java"), "printf '<%s>\\n' \"$@\"", "env", "exit ${FAKE_STATUS:-0}");
        Path bin = Files.createDirectories(machine.resolve("bin"));
        script(bin.resolve("ldconfig"), "echo '  libc.so.6 (x) => " + libraries + "/libc.so.6'");
        environment.putAll(Map.of("PATH", bin + ":/usr/bin:/bin", "HOME", machine.resolve("home").toString()));
        Files.createFile(libraries.resolve("libgpu.so.1"));
        Path vendors = Files.createDirectories(machine.resolve("vendors"));
        Files.writeString(vendors.resolve("gpu.icd"), "libgpu.so.1\n");
        environment.put("OCL_ICD_VENDORS", vendors.toString());
    }

    @Test
    void startsItsOwnJava() throws Exception {
        Path link = Files.createSymbolicLink(machine.resolve("link"), root.resolve("hmm"));
        Outcome run = run(libraries, link, "demo", "all", "a file");
        assertThat(run.status()).isZero();
        assertThat(run.lines()).contains("<-cp>", "<" + root + "/lib/*>", "<io.github.hmm4j.demos.HmmCommand>", "<demo>", "<all>", "<a file>", "<-Dhmm.commit=abc123>",
            "<-Dhmm.floor.program=" + root + "/floor>", "<--enable-native-access=ALL-UNNAMED>");
        environment.put("FAKE_STATUS", "1");
        assertThat(hmm("demo").status()).isEqualTo(1);
    }

    @Test
    void theConformanceSuiteHasItsOwnJars() throws Exception {
        assertThat(hmm("test", "--only", ".*Heap.*").lines()).contains("<" + root + "/lib/*:" + root + "/lib/test/*>", "<-ea>",
            "<io.github.hmm4j.conformance.ConformanceRun>", "<--only>", "<.*Heap.*>").doesNotContain("<test>");
    }

    @Test
    void aPathThatCannotBePreloadedIsReplacedByASearchPath() throws Exception {
        assertThat(hmm("devices").lines()).contains("LD_PRELOAD=libjsig.so").anyMatch(line -> line.startsWith("LD_LIBRARY_PATH=") && line.endsWith(root + "/preload"));
    }

    @Test
    void theMachinesOwnLoaderComesFirst() throws Exception {
        assertThat(searched(hmm("devices"))).contains(root + "/opencl");
        Files.write(libraries.resolve("libOpenCL.so.1"), LIBRARY_64);
        assertThat(searched(hmm("devices"))).doesNotContain(root + "/opencl");
    }

    @Test
    void aDriverThatNobodyRegisteredIsFound() throws Exception {
        environment.remove("OCL_ICD_VENDORS");
        Files.write(libraries.resolve("libOpenCL.so.1"), LIBRARY_64); // it might look elsewhere
        Path driver = Files.write(libraries.resolve("libnvidia-opencl.so.1"), LIBRARY_64);
        Files.write(libraries.resolve("libamdocl64.so"), LIBRARY_32);
        for (int time = 0; time < 2; time++) {
            Outcome run = hmm("devices");
            Path vendors = machine.resolve("home/.cache/hmm4j/vendors");
            assertThat(run.err()).contains("not registered, and is used nevertheless: " + driver);
            assertThat(run.lines()).contains("OCL_ICD_VENDORS=" + vendors);
            assertThat(searched(run)).startsWith(root + "/opencl").contains(libraries.toString());
            assertThat(vendors.resolve("libnvidia-opencl.so.1.icd")).hasContent(driver.toString());
            assertThat(vendors.resolve("libamdocl64.so.icd")).doesNotExist();
        }
    }

    @Test
    void filesGoWhereTheEnvironmentSays() throws Exception {
        assertThat(hmm("devices").lines()).contains("POCL_CACHE_DIR=" + machine.resolve("home/.cache/hmm4j/pocl"));
        environment.put("XDG_CACHE_HOME", machine.resolve("a cache").toString());
        assertThat(hmm("devices").lines()).contains("POCL_CACHE_DIR=" + machine.resolve("a cache/hmm4j/pocl"));
        environment.remove("XDG_CACHE_HOME");
        environment.put("HOME", "/proc");
        environment.put("TMPDIR", machine.resolve("tmp").toString());
        assertThat(hmm("devices").lines()).anyMatch(line -> line.startsWith("POCL_CACHE_DIR=" + machine.resolve("tmp/hmm4j-")))
            .contains("<-Djava.io.tmpdir=" + machine.resolve("tmp") + ">");
        environment.put("POCL_CACHE_DIR", "/elsewhere");
        assertThat(hmm("devices").lines()).contains("POCL_CACHE_DIR=/elsewhere");
    }

    @Test
    void anEmulatedDeviceLoadsItsLayer() throws Exception {
        assertThat(hmm("demo", "all", "--device", "emulated:nvidia").err()).contains("the emulated GPU was not built");
        Path layer = Files.createFile(root.resolve("opencl/libhmm-emulated-gpu.so"));
        assertThat(hmm("demo", "all", "--device", "emulated:nvidia:memory=1G").lines()).contains("OPENCL_LAYERS=" + layer,
            "HMM_EMULATED_GPU=nvidia:memory=1G", "<--device>", "<emulated:nvidia:memory=1G>");
        assertThat(hmm("demo", "--device=emulated:rocm").lines()).contains("OPENCL_LAYERS=" + layer, "HMM_EMULATED_GPU=rocm");
        assertThat(hmm("test", "--all", "--device", "emulated:arc", "--only", "x").lines())
            .contains("OPENCL_LAYERS=" + layer, "HMM_EMULATED_GPU=arc", "<--all>", "<--only>");
        assertThat(hmm("demo", "--device", "nvidia").lines()).noneMatch(line -> line.startsWith("OPENCL_LAYERS="));
        assertThat(hmm("test", "--all", "--device", "nvidia").status()).isEqualTo(2);
    }

    @Test
    void listsWhatCanBeEmulated() throws Exception {
        Files.createFile(root.resolve("opencl/libhmm-emulated-gpu.so"));
        Outcome list = hmm("devices", "--emulated", "--binding", "jocl");
        assertThat(list.lines().stream().filter(line -> line.startsWith("HMM_EMULATED_GPU=")))
            .containsExactly("HMM_EMULATED_GPU=nvidia", "HMM_EMULATED_GPU=rocm", "HMM_EMULATED_GPU=arc", "HMM_EMULATED_GPU=igpu", "HMM_EMULATED_GPU=mali");
        assertThat(list.lines()).contains("<--emulated>", "<jocl>");
        assertThat(hmm("devices", "--emulated", "--json").status()).isEqualTo(2);
    }

    @Test
    void aCheckRunsEverythingAndPacksIt() throws Exception {
        Files.copy(Path.of("launcher/gpu-check.sh"), root.resolve("launcher/gpu-check.sh"));
        Files.createFile(root.resolve("opencl/libhmm-emulated-gpu.so"));
        Outcome check = hmm("gpu-check", "--device", "emulated:nvidia");
        assertThat(check.lines()).last().isEqualTo("hmm4j-gpu-check.tar.gz");
        assertThat(check.status()).isZero();
        Path packed = unpack(machine.resolve("hmm4j-gpu-check.tar.gz"));
        List<String> steps = List.of("devices", "demo", "test", "discrete", "fault", "svm", "launch", "copy");
        assertThat(Files.readAllLines(packed.resolve("summary.txt"))).hasSize(1 + steps.size()).first().asString().startsWith("step");
        for (String step : steps) {
            assertThat(Files.readString(packed.resolve("summary.txt"))).containsPattern("(?m)^" + step + " +ok ");
            assertThat(Files.readAllLines(packed.resolve(step + ".txt"))).contains("HMM_EMULATED_GPU=nvidia");
        }
        assertThat(packed.resolve("machine.txt")).content().contains("drivers that are registered: " + environment.get("OCL_ICD_VENDORS"));
        assertThat(packed.resolve("commit.txt")).hasContent("abc123");
    }

    /// Else the times of a GPU that is played would pass for those of the one that is there.
    @Test
    void aCheckMeasuresTheBusOfTheGpuThatIsThere() throws Exception {
        Files.copy(Path.of("launcher/gpu-check.sh"), root.resolve("launcher/gpu-check.sh"));
        Files.createFile(root.resolve("opencl/libhmm-emulated-gpu.so"));
        script(root.resolve("jre/bin/java"), "printf '<%s>\\n' \"$@\"", "env", "cat \"$DEVICES\"");
        String cpu = "0: some CPU\n   kind           CPU, 2 compute units\n";
        Path devices = machine.resolve("devices");
        environment.put("DEVICES", devices.toString());
        Files.writeString(devices, "number  name  kind  memory\n" + cpu + "\n12: some GPU (* taken unless --device says otherwise)\n   kind           GPU, 132 compute units\n");
        assertThat(discreteOf(hmm("gpu-check"))).contains("<--device>", "<12>").noneMatch(line -> line.startsWith("HMM_EMULATED_GPU="));
        assertThat(discreteOf(hmm("gpu-check", "--device", "other"))).contains("<--device>", "<other>").doesNotContain("<12>");
        Files.writeString(devices, cpu.replace("CPU\n", "CPU (* taken unless --device says otherwise)\n"));
        Outcome without = hmm("gpu-check");
        assertThat(without.err()).contains("bench discrete is run on an emulated one");
        assertThat(discreteOf(without)).anyMatch(line -> line.startsWith("HMM_EMULATED_GPU=nvidia:"));
    }

    private List<String> discreteOf(Outcome check) throws Exception {
        assertThat(check.status()).isZero();
        return Files.readAllLines(unpack(machine.resolve("hmm4j-gpu-check.tar.gz")).resolve("discrete.txt"));
    }

    @Test
    void aCheckSaysWhatFailed() throws Exception {
        Files.copy(Path.of("launcher/gpu-check.sh"), root.resolve("launcher/gpu-check.sh"));
        environment.put("FAKE_STATUS", "3");
        Outcome check = hmm("gpu-check", "--out", machine.resolve("a result.tar.gz").toString());
        assertThat(check.status()).isEqualTo(1);
        assertThat(check.lines()).anyMatch(line -> line.startsWith("demo") && line.contains("failed, exit status 3"));
        assertThat(unpack(machine.resolve("a result.tar.gz")).resolve("demo.txt")).content().contains("<demo>");
        for (String wrong : List.of("--minutes 0", "--minutes x", "--out results.zip", "--out", "now")) {
            assertThat(hmm(("gpu-check " + wrong).split(" ")).status()).isEqualTo(2);
        }
    }

    private Path unpack(Path file) throws Exception {
        Path folder = Files.createDirectories(machine.resolve("unpacked"));
        assertThat(new ProcessBuilder("tar", "xzf", file.toString(), "-C", folder.toString()).inheritIO().start().waitFor()).isZero();
        return folder;
    }

    @Test
    void saysWhatItDoesNotKnow() throws Exception {
        assertThat(hmm("--help").out()).contains("devices", "demo [NAME|all]", "bench NAME", "test");
        Files.createFile(Files.createDirectory(root.resolve("lib")).resolve("hmm-runtime-1.2.3.jar"));
        assertThat(hmm("--version").out()).isEqualTo("hmm4j 1.2.3 (abc123)\n");
        assertThat(hmm("dance").status()).isEqualTo(2);
        assertThat(hmm("dance").err()).contains("unknown command: dance");
        assertThat(hmm().status()).isEqualTo(2);
    }

    /// Where the dynamic linker is told to look, in order.
    private static List<String> searched(Outcome run) {
        return run.out().lines().filter(line -> line.startsWith("LD_LIBRARY_PATH=")).flatMap(line -> Stream.of(line.substring("LD_LIBRARY_PATH=".length()).split(":"))).toList();
    }

    private Outcome hmm(String... arguments) throws Exception {
        return run(machine, root.resolve("hmm"), arguments);
    }

    private Outcome run(Path folder, Path launcher, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(launcher.toString()));
        command.addAll(List.of(arguments));
        Path out = machine.resolve("out");
        Path err = machine.resolve("err");
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile()).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        int status = builder.start().waitFor();
        return new Outcome(status, Files.readString(out, StandardCharsets.UTF_8), Files.readString(err, StandardCharsets.UTF_8));
    }

    private static void script(Path file, String... lines) throws IOException {
        Files.writeString(file, "#!/bin/sh\n" + String.join("\n", lines) + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
