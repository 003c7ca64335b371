package io.github.hmm4j.device.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.error.NoDeviceException;
import io.github.hmm4j.transparent.ChildJvm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A machine without OpenCL, as a process that cannot find it.
@Timeout(60)
final class NoDriverTest {

    @TempDir
    private Path empty;

    @ParameterizedTest
    @EnumSource(ClBinding.class)
    void noPlatformIsAnEmptyList(ClBinding binding) throws Exception {
        assertThat(run(binding)).contains("devices=[]");
    }

    @Test
    void noLibraryIsNoDeviceWithAdvice() throws Exception {
        assertThat(run(ClBinding.LWJGL, "-Dorg.lwjgl.opencl.libname=libNoSuchOpenCL.so"))
                .contains("NoDeviceException").contains("apt-get install");
    }

    /// A driver that cannot keep what it compiles has no device: that is another thing than no driver, and says what to
    /// do.
    @Test
    void aPlatformWithoutADeviceIsNamed() throws Exception {
        assertThat(open(Map.of("OCL_ICD_VENDORS", empty.toString()))).contains("no OpenCL platform").contains("apt-get install");
        assumeTrue(ClPlatforms.devices(Bindings.load(ClBinding.LWJGL)).stream().allMatch(id -> id.platformName().equals("Portable Computing Language")), "this is about POCL");
        String text = open(Map.of("POCL_CACHE_DIR", "/proc/nothing"));
        assertThat(text).contains("no OpenCL device that can be used").contains("platform=Portable Computing Language")
                .contains("POCL cannot write to its cache folder /proc/nothing (/proc is not writable): set POCL_CACHE_DIR");
    }

    private static String open(Map<String, String> environment) {
        return ChildJvm.run(Duration.ofSeconds(50), ChildJvm.JSIG, environment, List.of(), Opening.class).output();
    }

    /// A program that takes what there is.
    static final class Opening {

        private Opening() {}

        public static void main(String[] args) {
            try (Hmm hmm = Hmm.builder().open()) {
                System.out.println(hmm.devices());
            } catch (NoDeviceException e) {
                System.out.println(e);
            }
        }
    }

    private String run(ClBinding binding, String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Child.class.getName(),
                binding.toString()));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("OCL_ICD_VENDORS", empty.toString());
        Process child = builder.start();
        String output = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(child.waitFor()).as(output).isZero();
        return output;
    }

    /// The program of the child process.
    static final class Child {

        private Child() {}

        public static void main(String[] args) {
            try {
                System.out.println("devices=" + ClPlatforms.devices(Bindings.load(ClBinding.of(args[0]))));
            } catch (NoDeviceException e) {
                System.out.println(e);
            }
        }
    }
}
