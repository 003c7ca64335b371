package io.github.hmm4j.transparent;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// More separate pages than a process may have mappings: managed memory keeps to its share of these, so that the JVM can go on. The program is [ScatteredPagesWorker].
@Tag("elsewhere")
class ScatteredPagesTest {

    private static final Duration LIMIT = Duration.ofSeconds(100);
    private static final long SHARE = 65_530 / 2;
    private static final long OF_THE_JVM = 10_000; // far more than it has

    /// With userfaultfd only a few are written, since each is given memory as a whole.
    @ParameterizedTest
    @CsvSource({"SIGSEGV, 65536, 140000, 140000", "UFFD, 4096, 140000, 4000"})
    void everySecondPage(String mode, int pageBytes, int pages, int written) {
        List<String> options = List.of("-Xmx256m", "-XX:CompileCommand=quiet", "-XX:CompileCommand=dontinline," + ScatteredPagesWorker.class.getName() + "::*");
        ChildJvm.Result result = ChildJvm.run(LIMIT, options, ScatteredPagesWorker.class, mode, Integer.toString(pageBytes), Integer.toString(pages), Integer.toString(written));
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.numbers()).containsEntry("protected", pages / 2L).containsEntry("freed", ScatteredPagesWorker.ERRORS);
        assertThat(result.numbers().get("mappings")).as("most mappings of the process").isLessThan(SHARE + OF_THE_JVM);
    }
}
