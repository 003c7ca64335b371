package io.github.hmm4j.demos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.OpenClDevices;
import io.github.hmm4j.demos.DemoRunner.Outcome;
import io.github.hmm4j.demos.harness.Demo;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.error.NoDeviceException;
import java.io.IOException;
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

/// Every demo on OpenCL platforms that are not POCL, through both bindings: a driver of Mesa's that compiles for the CPU, and a simulator that interprets kernels. Each in a JVM of its own,
/// since the loader of OpenCL reads its drivers once.
@Tag("exhaustive")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class OtherPlatformsTest {
    private static final Path VENDORS = Path.of("..", ".ci", "vendors").toAbsolutePath().normalize();
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"rusticl, rusticl, mesa-opencl-icd", "oclgrind, Oclgrind, oclgrind"})
    void areRightAsWell(String vendors, String platform, String debianPackage) throws IOException, InterruptedException {
        Path output = folder.resolve("output.txt");
        ProcessBuilder builder = new ProcessBuilder(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-ea", "--enable-native-access=ALL-UNNAMED",
            "-Dorg.lwjgl.opencl.libname=libOpenCL.so.1", "-Dorg.lwjgl.system.memoryBackend=ffm", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp", System.getProperty("java.class.path"), AllDemos.class.getName(), platform, folder.toString())).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().putAll(Map.of("OCL_ICD_VENDORS", VENDORS.resolve(vendors).toString(), "RUSTICL_ENABLE", "llvmpipe"));
        Process demos = builder.start();
        try {
            assertThat(demos.waitFor(9, TimeUnit.MINUTES)).as(() -> "still running: " + text(output)).isTrue();
        } finally {
            demos.destroyForcibly();
        }
        assumeTrue(demos.exitValue() != AllDemos.NO_PLATFORM, "no device of the platform " + platform + " (Debian package: " + debianPackage + ")");
        assertThat(demos.exitValue()).as(() -> text(output)).isZero();
        assertThat(text(output).lines().filter(line -> line.startsWith("right: "))).hasSize(2 * HmmCommand.demos().size());
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

        /// @param args the platform that must be there, and a folder for files
        public static void main(String[] args) throws IOException {
            if (!isThere(args[0])) {
                System.exit(NO_PLATFORM);
            }
            boolean right = true;
            Path folder = Path.of(args[1]);
            for (String binding : List.of(DemoRunner.LWJGL, DemoRunner.JOCL)) {
                for (Demo demo : HmmCommand.demos()) {
                    Outcome outcome = DemoRunner.run(demo, binding, folder, SmallInputs.of(demo, folder));
                    boolean ok = outcome.exitCode() == 0 && outcome.json().contains("\"ok\": true") && !outcome.json().contains("\"ok\": false");
                    System.out.println((ok ? "right: " : "WRONG: ") + demo.name() + " " + binding + (ok ? "" : ": " + outcome));
                    right &= ok;
                }
            }
            System.exit(right ? 0 : 1);
        }

        private static boolean isThere(String platform) {
            try {
                return OpenClDevices.list(ClBinding.LWJGL).stream().anyMatch(id -> id.platformName().equals(platform));
            } catch (NoDeviceException _) {
                return false;
            }
        }
    }
}
