package io.github.hmm4j.transparent;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A touch that cannot be served is an error of the code that touched, whoever executes that code; the JVM and everybody else go on. The program is [TouchErrorWorker].
class TouchErrorsTest {

    private static final Duration LIMIT = Duration.ofSeconds(100);

    /// @param warmUps enough for the compiler to have done its work, were it to be asked
    @ParameterizedTest
    @CsvSource({"UFFD, -Xint, 10", "UFFD, -XX:-TieredCompilation, 20000", "SIGSEGV, -XX:TieredStopAtLevel=1, 2000"})
    void everyWayToTouchErrs(String mode, String option, int warmUps) {
        check(mode, option, warmUps);
    }

    @Tag("elsewhere")
    @ParameterizedTest
    @CsvSource({"UFFD, -XX:TieredStopAtLevel=1, 2000", "SIGSEGV, -Xint, 10", "SIGSEGV, -XX:-TieredCompilation, 20000", "UFFD_IN_THREAD, -XX:-TieredCompilation, 20000"})
    void theSameOnTheOtherRung(String mode, String option, int warmUps) {
        check(mode, option, warmUps);
    }

    private static void check(String mode, String option, int warmUps) {
        List<String> options = List.of(option, "-Xbatch", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-XX:CompileCommand=quiet", "-XX:CompileCommand=dontinline," + TouchErrorWorker.class.getName() + "::*");
        ChildJvm.Result result = ChildJvm.run(LIMIT, options, TouchErrorWorker.class, mode, Integer.toString(warmUps));
        assertThat(result.status()).as(result.output()).isZero();
        // What the JVM throws says neither where nor why, so the log does.
        assertThat(result.output()).containsPattern("thread '.*' reads the page at 0x\\w+ of region \\[.*violation=FAULT")
                .containsPattern("thread '.*' writes the page at 0x\\w+ of region \\[.*violation=PERMISSION,"
                        + " the page may only be read")
                .containsPattern("reads the page at 0x\\w+ of .* was freed");
        int ways = TouchErrorWorker.Touch.values().length;
        int writing = (int) List.of(TouchErrorWorker.Touch.values()).stream().filter(touch -> touch.writes).count();
        // Each at home and on the device: with NONE, and with READ if it writes; and after free.
        assertThat(result.numbers()).containsEntry("served", (long) ways).containsEntry("errors", 3L * ways + 2L * writing);
    }
}
