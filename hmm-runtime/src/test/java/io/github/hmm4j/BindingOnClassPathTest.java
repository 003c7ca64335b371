package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.error.NoDeviceException;
import io.github.hmm4j.transparent.ChildJvm;
import java.io.File;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// LWJGL and JOCL are optional to each other: a program needs the one that it uses.
class BindingOnClassPathTest {

    private static final String LWJGL = "lwjgl";
    private static final String JOCL = "jocl";

    @Test
    void lwjglAloneIsEnough() {
        assertThat(openWithout("default", JOCL)).contains("opened through lwjgl");
        assertThat(openWithout("lwjgl", JOCL)).contains("opened through lwjgl");
    }

    @Test
    void joclIsTakenWhereLwjglIsNot() {
        assertThat(openWithout("default", LWJGL)).contains("opened through jocl");
    }

    @Test
    void saysWhatToAddForTheOneThatWasAskedFor() {
        assertThat(openWithout("jocl", JOCL)).contains("binding=jocl is not on the class path: add org.jocl:jocl, or ask for what is there: lwjgl");
        assertThat(openWithout("lwjgl", LWJGL)).contains("binding=lwjgl is not on the class path: add org.lwjgl:lwjgl, org.lwjgl:lwjgl-opencl", "what is there: jocl");
    }

    @Test
    void saysWhatToAddWhereNeitherIs() {
        assertThat(openWithout("default", LWJGL, JOCL)).contains("NoDeviceException: no library that calls OpenCL", "org.lwjgl:lwjgl-opencl", "org.jocl:jocl");
        assertThat(openWithout("host", LWJGL, JOCL)).contains("opened on the host");
    }

    /// What [Opening] says on a class path without the jars that have such a name.
    private static String openWithout(String binding, String... libraries) {
        String classPath = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> Arrays.stream(libraries).noneMatch(name -> Path.of(entry).getFileName().toString().startsWith(name)))
                .collect(Collectors.joining(File.pathSeparator));
        ChildJvm.Result result = ChildJvm.run(Duration.ofMinutes(1), List.of("-cp", classPath), Opening.class, binding);
        assertThat(result.status()).as(result.output()).isZero();
        return result.output();
    }

    /// The program of the child process.
    static final class Opening {

        private Opening() {}

        public static void main(String[] args) {
            HmmBuilder builder = Hmm.builder().heap(ByteSize.mib(1));
            switch (args[0]) {
                case "default" -> { }
                case "host" -> builder.hostOnly();
                default -> builder.binding(ClBinding.of(args[0]));
            }
            try (Hmm hmm = builder.open()) {
                System.out.println("opened " + (args[0].equals("host") ? "on the host" : "through " + hmm.device().info().binding()));
            } catch (NoDeviceException e) {
                System.out.println(e);
            }
        }
    }
}
