package io.github.hmm4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Every kernel on the simulator, on small sizes; and proof that the simulator would have told.
/// A new kernel file fails here until [OclgrindRun] knows a small run for it.
final class OclgrindTest {

    private static final List<String> CHECKS = List.of("CHECK_API", "DATA_RACES");
    private static final List<String> ALL_CHECKS = List.of("CHECK_API", "DATA_RACES", "UNIFORM_WRITES");

    @TempDir
    Path scratch;

    @Tag("elsewhere")
    @ParameterizedTest
    @MethodSource("io.github.hmm4j.kernels.KernelFiles#names")
    void kernelsStayInBoundsAndRaceFree(String file) throws Exception {
        assertClean(file);
    }

    @Tag("elsewhere")
    @Test
    void aHeapThatIsWrittenStaysInBoundsAndRaceFree() throws Exception {
        assertClean("heap/lists.cl");
    }

    /// Work-items set the same flag to the same value: what is touched, that some are unfinished, that some have ended.
    /// The kernels' own stores are checked for that in the aperture form.
    @Test
    void kernelsThatPageStayInBoundsAndRaceFree() throws Exception {
        assertClean("paged form", CHECKS);
    }

    @Tag("elsewhere")
    @ParameterizedTest
    @CsvSource({
        "out_of_bounds.cl, Invalid write of size 4 at global memory,   6",
        "data_race.cl,     Write-write data race at global memory,     6",
        "uniform_race.cl,  Write-write data race at global memory,     4",
        "local_race.cl,    Read-write data race at local memory,       5",
    })
    void badKernelsAreReportedWithFileAndLine(String file, String complaint, int line) throws Exception {
        Oclgrind.Report report = run(ALL_CHECKS, "bad/" + file);
        assertThat(report.exitCode()).as(report.output()).isZero();
        assertThat(report.log()).contains(complaint).containsPattern("At line " + line + " .*of bad/" + file);
    }

    private void assertClean(String file) throws Exception {
        assertClean(file, ALL_CHECKS);
    }

    private void assertClean(String file, List<String> checks) throws Exception {
        long seed = Long.getLong("hmm.seed", System.nanoTime());
        Oclgrind.Report report = run(checks, file, Long.toString(seed));
        assertThat(report.log()).as("what Oclgrind says about %s, seed=%d", file, seed).isEmpty();
        assertThat(report.exitCode()).as("seed=%d, output:%n%s", seed, report.output()).isZero();
    }

    private Oclgrind.Report run(List<String> checks, String... args) throws IOException, InterruptedException {
        Optional<Oclgrind> oclgrind = Oclgrind.find();
        assumeTrue(oclgrind.isPresent(), "Oclgrind is not installed (Debian package: oclgrind)");
        return oclgrind.get().run(OclgrindRun.class, scratch, checks, args);
    }
}
