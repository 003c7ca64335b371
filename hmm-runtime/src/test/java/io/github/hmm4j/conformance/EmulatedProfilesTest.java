package io.github.hmm4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.transparent.ChildJvm;
import java.net.URL;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The scenarios of one device on each profile of the emulated GPU, in a JVM of its own, since the loader of OpenCL reads its layers once. What is not as OpenCL has it ends that JVM.
@Timeout(30 * 60)
@Tag("source-tree")
class EmulatedProfilesTest {

    private static final String LAYER = "/io/github/hmm4j/native/linux-%s/libhmm-emulated-gpu.so";
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final Duration LONG_LIMIT = Duration.ofMinutes(25);

    /// The second of each is for drivers that call back never, or only those that wait.
    @ParameterizedTest
    @CsvSource({
        "nvidia, OpenClLwjgl", "rocm:callbacks=never, UffdLwjgl", "arc, OpenClJocl", "igpu, SigsegvLwjgl", "mali:callbacks=lost, UffdJocl",
    })
    void scenariosHold(String device, String backend) {
        run(device, ".*[.]" + backend + "OneDeviceTest", LIMIT);
    }

    @Tag("exhaustive")
    @ParameterizedTest
    @ValueSource(strings = {"nvidia", "rocm", "arc", "igpu", "mali"})
    void everythingHolds(String device) {
        run(device, ".*(OpenCl|Uffd|Sigsegv|Lwjgl|Jocl|Model|Cl[A-Z]).*", LONG_LIMIT);
    }

    private static void run(String device, String only, Duration limit) {
        URL layer = EmulatedProfilesTest.class.getResource(LAYER.formatted(System.getProperty("os.arch").replace("amd64", "x86_64")));
        assumeTrue(layer != null && layer.getProtocol().equals("file"), "there is no emulated GPU here");
        ChildJvm.Result result = ChildJvm.run(limit, ChildJvm.JSIG, Map.of("OPENCL_LAYERS", Path.of(layer.getPath()).toString(), "HMM_EMULATED_GPU", device), List.of(),
                ConformanceRun.class, "--only", only);
        assertThat(result.output()).contains("emulated");
        assertThat(result.status()).as(result::output).isZero();
    }
}
