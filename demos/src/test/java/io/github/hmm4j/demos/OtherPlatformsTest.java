package io.github.hmm4j.demos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.OpenClDevices;
import io.github.hmm4j.demos.DemoRunner.Outcome;
import io.github.hmm4j.demos.harness.Demo;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.error.NoDeviceException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Every demo on OpenCL platforms that are not POCL: a driver of Mesa's that compiles for the CPU, a simulator that interprets kernels, and POCL that plays a GPU. Each in a JVM of its own,
/// since the loader of OpenCL reads its drivers and layers once.
@Tag("exhaustive")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class OtherPlatformsTest {
    private static final Path VENDORS = Path.of("..", ".ci", "vendors").toAbsolutePath().normalize();
    /// Of its assertion that no two kernels of a context run at a time.
    private static final String TWO_THREADS = "notifyKernelBegin";
    private static final String LAYER = "/io/github/hmm4j/native/linux-%s/libhmm-emulated-gpu.so";
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"rusticl, rusticl, mesa-opencl-icd, --binding lwjgl", "rusticl, rusticl, mesa-opencl-icd, --binding jocl", "oclgrind, Oclgrind, oclgrind, --binding lwjgl",
        "oclgrind, Oclgrind, oclgrind, --binding jocl"})
    void areRightAsWell(String vendors, String platform, String debianPackage, String binding) throws IOException, InterruptedException {
        Path complaints = folder.resolve("oclgrind.log");
        check(Map.of("OCL_ICD_VENDORS", VENDORS.resolve(vendors).toString(), "RUSTICL_ENABLE", "llvmpipe", "OCLGRIND_CHECK_API", "1", "OCLGRIND_LOG", complaints.toString()),
            platform, debianPackage, binding);
        if (Files.exists(complaints)) {
            assertThat(text(complaints)).as("what Oclgrind says").isBlank();
        }
    }

    /// With memory of its own, or with the host's; each offence against OpenCL's rules ends the process.
    @ParameterizedTest
    @CsvSource({"nvidia, --binding lwjgl", "rocm, --binding jocl", "mali, --binding lwjgl"})
    void areRightOnEmulatedGpus(String profile, String binding) throws IOException, InterruptedException {
        Path layer = folder.resolve("layer.so");
        try (InputStream stream = Hmm.class.getResourceAsStream(LAYER.formatted(System.getProperty("os.arch").equals("amd64") ? "x86_64" : "aarch64"))) {
            assumeTrue(stream != null, "the layer was not built for this machine");
            Files.copy(stream, layer);
        }
        check(Map.of("OCL_ICD_VENDORS", VENDORS.resolve("pocl").toString(), "OPENCL_LAYERS", layer.toString(), "HMM_EMULATED_GPU", profile),
            "emulated " + profile + " GPU", "pocl-opencl-icd, and a loader that takes layers", binding);
    }

    private void check(Map<String, String> environment, String platform, String debianPackage, String binding) throws IOException, InterruptedException {
        Path output = folder.resolve("output.txt");
        ProcessBuilder builder = new ProcessBuilder(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-ea", "--enable-native-access=ALL-UNNAMED",
            "-Dorg.lwjgl.opencl.libname=libOpenCL.so.1", "-Dorg.lwjgl.system.memoryBackend=ffm", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp", System.getProperty("java.class.path"), AllDemos.class.getName(), platform, binding, folder.toString())).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().putAll(environment);
        Process demos = builder.start();
        try {
            assertThat(demos.waitFor(9, TimeUnit.MINUTES)).as(() -> "still running: " + text(output)).isTrue();
        } finally {
            demos.destroyForcibly();
        }
        assumeFalse(text(output).contains(TWO_THREADS), "Oclgrind has ended the process, as it does at times: " + TWO_THREADS);
        assumeTrue(demos.exitValue() != AllDemos.NO_PLATFORM, "there is no " + platform + " (Debian package: " + debianPackage + ")");
        assertThat(demos.exitValue()).as(() -> text(output)).isZero();
        assertThat(text(output).lines().filter(line -> line.startsWith("right: "))).hasSize(HmmCommand.demos().size());
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }

    static final class AllDemos {
        static final int NO_PLATFORM = 77;

        private AllDemos() {}

        /// @param args the platform or device that must be there, an option of all demos, and a folder for files
        public static void main(String[] args) throws IOException {
            if (!isThere(args[0])) {
                System.exit(NO_PLATFORM);
            }
            boolean right = true;
            Path folder = Path.of(args[2]);
            for (Demo demo : HmmCommand.demos()) {
                boolean paints = demo.name().equals("unmodified-paged"); // by the million instructions
                String[] input = paints ? new String[] {"--rows", "16"} : SmallInputs.of(demo, folder);
                Outcome outcome = DemoRunner.run(demo, args[1], folder, input);
                boolean ok = outcome.exitCode() == 0 && outcome.json().contains("\"ok\": true") && !outcome.json().contains("\"ok\": false");
                System.out.println((ok ? "right: " : "WRONG: ") + demo.name() + (ok ? "" : ": " + outcome));
                right &= ok;
            }
            System.exit(right ? 0 : 1);
        }

        /// @param name a platform, or how a device's name begins
        private static boolean isThere(String name) {
            try {
                return OpenClDevices.list(ClBinding.LWJGL).stream().anyMatch(id -> id.platformName().equals(name) || id.info().name().startsWith(name));
            } catch (NoDeviceException _) {
                return false;
            }
        }
    }
}
