package io.github.hmm4j.pager;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.FirstDevice;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The tests of the emulated GPU, which are small OpenCL programs in C (`src/test/c/gpu`): each runs in a process of its
/// own, with the layer and without. The sanitizers see the layer and the programs, not the driver below.
class EmulatedGpuTest {

    static final String HEADERS = "-I" + CBuild.SOURCES.resolve("main/c/gpu");
    private static final List<String> LIBRARIES = List.of("-l:libOpenCL.so.1", "-ldl");

    @Test
    @Timeout(value = 900, unit = TimeUnit.SECONDS)
    void passesItsTests() throws IOException, InterruptedException {
        passes(CBuild.PLAIN, List.of("nvidia"));
    }

    @Tag("elsewhere")
    @Test
    @Timeout(value = 900, unit = TimeUnit.SECONDS)
    void passesThemWithEachProfile() throws IOException, InterruptedException {
        passes(CBuild.PLAIN, List.of());
    }

    @Tag("exhaustive")
    @ParameterizedTest
    @EnumSource(names = {"ADDRESSES", "THREADS"})
    @Timeout(value = 900, unit = TimeUnit.SECONDS)
    void passesThemUnderSanitizers(CBuild build) throws IOException, InterruptedException {
        passes(build, List.of("nvidia"));
    }

    /// @param profiles those to try; none means all
    private static void passes(CBuild build, List<String> profiles) throws IOException, InterruptedException {
        assumeTrue(FirstDevice.isPocl(), "the emulated GPU runs kernels on POCL");
        Path folder = build.folder("gpu-tests");
        assumeTrue(build.works(folder, LIBRARIES), "there is no cc or no libOpenCL.so.1, or none for " + build);
        Path layer = compileLayer(build, folder);
        compile(build, folder, List.of(HEADERS, "-o", "gpu-test"), "test/c/gpu");

        // Drivers are not ours to look for leaks in. Of races in them nothing is told, since they are not instrumented; what makes sure of that (ignore_noninstrumented_modules) takes on Linux every
        // memcpy and free of ours, too, for the driver's.
        List<String> command = new ArrayList<>(List.of("env", "ASAN_OPTIONS=detect_leaks=0", folder.resolve("gpu-test").toString(), layer.toString()));
        command.addAll(profiles);
        CommandLine.Outcome outcome = CommandLine.run(folder, command);
        assumeTrue(outcome.status() != 4, "there is no OpenCL device");
        assertEquals(0, outcome.status(), outcome::output);
    }

    /// The library, in this folder.
    static Path compileLayer(CBuild build, Path folder) throws IOException, InterruptedException {
        Path layer = folder.resolve("libhmm-emulated-gpu.so");
        compile(build, folder, List.of(HEADERS, "-fPIC", "-shared", "-o", layer.toString()), "main/c/gpu");
        return layer;
    }

    private static void compile(CBuild build, Path folder, List<String> options, String sources) throws IOException, InterruptedException {
        CommandLine.Outcome compiled = build.compile(folder, options, CBuild.sources(sources), LIBRARIES);
        assertEquals(0, compiled.status(), compiled::output);
    }
}
