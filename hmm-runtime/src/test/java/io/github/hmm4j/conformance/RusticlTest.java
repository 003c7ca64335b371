package io.github.hmm4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import io.github.hmm4j.OpenClDevices;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.error.NoDeviceException;
import io.github.hmm4j.transparent.ChildJvm;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.platform.engine.DiscoverySelector;

/// The scenarios of one device, what a copy engine promises, kernels that fault, pages in place and scattered ones on a driver that is not POCL: Mesa's Rusticl over llvmpipe, in a JVM of its own, since the
/// loader of OpenCL reads its drivers once. The rest of the suite runs on it with `demos/hmm test --device rusticl`.
@Timeout(15 * 60)
@Tag("exhaustive")
@Tag("source-tree")
class RusticlTest {

    private static final Path VENDORS = Path.of("..", ".ci", "vendors", "rusticl").toAbsolutePath().normalize();
    private static final int NO_PLATFORM = 77;

    @Test
    void scenariosAndCopiesHold() {
        ChildJvm.Result result = ChildJvm.run(Duration.ofMinutes(12), ChildJvm.JSIG, Map.of("OCL_ICD_VENDORS", VENDORS.toString(), "RUSTICL_ENABLE", "llvmpipe"), List.of(), Suite.class);
        assumeTrue(result.status() != NO_PLATFORM, "no device of the platform rusticl (Debian package: mesa-opencl-icd)");
        assertThat(result.status()).as(result::output).isZero();
    }

    static final class Suite {

        private Suite() {}

        public static void main(String[] args) throws ClassNotFoundException {
            if (!isThere()) {
                System.exit(NO_PLATFORM);
            }
            String devices = "io.github.hmm4j.device.opencl."; // a package that shows no tests
            Class<?> copies = Class.forName(devices + "LwjglStagedDeviceTest");
            Class<?> scatter = Class.forName(devices + "ScatterTest");
            List<DiscoverySelector> classes = Stream.of(OpenClLwjglOneDeviceTest.class, UffdLwjglOneDeviceTest.class, FaultingScenariosTest.class, FaultingScenariosSigsegvTest.class, InPlacePagesTest.class,
                    ModelTest.class, copies, scatter).map(type -> (DiscoverySelector) selectClass(type)).toList();
            System.exit(ConformanceRun.run(classes, ".*", System.out));
        }

        private static boolean isThere() {
            try {
                return OpenClDevices.list(ClBinding.LWJGL).stream().anyMatch(id -> id.platformName().equals("rusticl"));
            } catch (NoDeviceException _) {
                return false;
            }
        }
    }
}
