package io.github.hmm4j.demos.plain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.demos.DemoRunner;
import io.github.hmm4j.demos.DemoRunner.Outcome;
import io.github.hmm4j.demos.device.WrongKernel;
import io.github.hmm4j.pager.HostAccess;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PlainDemoTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({DemoRunner.LWJGL + ",1", DemoRunner.LWJGL + ",777", DemoRunner.JOCL + ",1500"})
    void runsRight(String variant, String rows) {
        Outcome outcome = DemoRunner.run(new PlainDemo(), variant, folder, "--rows", rows);

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
        assertThat(outcome.json()).contains("\"ok\": true", "\"rows\": " + rows, "\"kernelsFault\": " + kernelsFault());
        assertThat(outcome.out()).contains("every sum and every byte right", "What the heap moved");
    }

    private static boolean kernelsFault() {
        try (Hmm hmm = Hmm.builder().open()) {
            return hmm.hostAccess().mode() == HostAccess.Mode.UFFD;
        }
    }

    @Test
    void pagesMakeRoomForOthers() {
        assumeTrue(kernelsFault(), "userfaultfd cannot be had here");
        Outcome outcome = DemoRunner.run(new PlainDemo(), DemoRunner.LWJGL, folder, "--rows", "2000");

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
        assertThat(outcome.json()).contains("\"leastBytesToDevice\": " + 2000 * 4096, "\"leastBytesToHost\": " + 2000 * (4096 + 8));
        assertThat(outcome.out()).contains("DEVICE_FAULT", "EVICTION", "device.evicted");
    }

    @Test
    void findsOutAWrongKernel() {
        Outcome outcome = DemoRunner.run(new PlainDemo(WrongKernel.with("sum += page[i]", "sum += 0")), DemoRunner.LWJGL, folder, "--rows", "2");

        assertThat(outcome.exitCode()).isEqualTo(1);
        assertThat(outcome.json()).contains("\"ok\": false", "managed program, row 0: sum=0, expected=");
        assertThat(outcome.out()).contains("WRONG").doesNotContain("every byte right");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "131073", "many"})
    void refusesOtherSizes(String rows) {
        Outcome outcome = DemoRunner.run(new PlainDemo(), DemoRunner.LWJGL, folder, "--rows", rows);

        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.err()).contains("--rows").contains(rows);
    }

    @Test
    void refusesABudgetThatIsTooSmall() {
        assumeTrue(kernelsFault(), "userfaultfd cannot be had here");
        Outcome outcome = DemoRunner.run(new PlainDemo(), DemoRunner.LWJGL, folder, "--rows", "100", "--budget", "64K");

        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.err()).contains("--budget", "deviceFaults", "at least");
    }
}
