package io.github.hmm4j.pager;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The native part over the emulated GPU over the driver that is here, in one process (`src/test/c/together`): sanitizers see the first two.
class NativePartOnEmulatedGpuTest {

    private static final List<String> LIBRARIES = List.of("-l:libOpenCL.so.1", "-ldl");
    private static final String KERNELS = CBuild.SOURCES.resolve("../../opencl-kernels/src/main/opencl/kernels/runs.cl").normalize().toString();
    private static final int REFUSED = 4;

    /// @param gpu as HMM_EMULATED_GPU has it
    /// @param way by which pages come home
    private record Run(String gpu, String rung, String way) {}

    private static final List<Run> RUNS = List.of(
            new Run("nvidia:seed=7", "uffd", "copied"), new Run("nvidia", "sigsegv", "staged"), new Run("igpu:seed=3", "uffd", "commands"), new Run("arc:callbacks=never", "uffd", "staged"));

    @Tag("exhaustive")
    @ParameterizedTest
    @EnumSource(names = {"PLAIN", "ADDRESSES", "THREADS"})
    @Timeout(value = 600, unit = TimeUnit.SECONDS)
    void worksOnIt(CBuild build) throws IOException, InterruptedException {
        Path folder = build.folder("native-on-gpu-tests");
        assumeTrue(build.works(folder, LIBRARIES), "there is no cc or no libOpenCL.so.1, or none for " + build);
        Path layer = EmulatedGpuTest.compileLayer(build, folder);
        List<String> sources = new ArrayList<>(CBuild.sources("main/c", "test/c/together"));
        sources.addAll(List.of(CBuild.SOURCES.resolve("test/c/heap.c").toString(), CBuild.SOURCES.resolve("test/c/fake_cl.c").toString()));
        CommandLine.Outcome compiled = NativePartTest.compile(build, folder, "together", sources, List.of(EmulatedGpuTest.HEADERS), LIBRARIES);
        assertEquals(0, compiled.status(), compiled::output);

        int skipped = 0;
        for (Run run : RUNS) {
            // POCL makes as many devices as the heap has.
            CommandLine.Outcome outcome = CommandLine.run(folder, List.of("env", "OPENCL_LAYERS=" + layer, "HMM_EMULATED_GPU=" + run.gpu, "POCL_DEVICES=pthread pthread pthread",
                    folder.resolve("together").toString(), run.rung, run.way, KERNELS));
            skipped += outcome.status() == REFUSED ? 1 : 0;
            assertEquals(0, outcome.status() == REFUSED ? 0 : outcome.status(), () -> run + ": " + outcome.output());
        }
        assumeTrue(skipped < RUNS.size(), "no rung is accepted here, or there is no OpenCL device");
    }
}
