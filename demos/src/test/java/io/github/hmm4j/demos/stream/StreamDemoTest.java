package io.github.hmm4j.demos.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.demos.DemoRunner;
import io.github.hmm4j.demos.DemoRunner.Outcome;
import io.github.hmm4j.demos.device.WrongKernel;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StreamDemoTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        DemoRunner.LWJGL + ",100000", DemoRunner.LWJGL + ",1234567", DemoRunner.JOCL + ",300001"
    })
    void streamsRight(String variant, String elements) {
        Outcome outcome = DemoRunner.run(new StreamDemo(), variant, folder, "--elements", elements, "--page-size", "4K");

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
        assertThat(outcome.json()).contains("\"ok\": true", "\"elements\": " + elements);
        assertThat(outcome.out()).contains("every element right", "What the heap moved");
    }

    @Test
    void streamsOneElement() {
        Outcome outcome = DemoRunner.run(new StreamDemo(), DemoRunner.LWJGL, folder, "--elements", "1", "--budget", "1M");

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
    }

    /// Each page goes there once, and each page of the output comes back once.
    @Test
    void movesEachPageOnce() {
        int elements = 1 << 20;
        Outcome outcome = DemoRunner.run(new StreamDemo(), DemoRunner.LWJGL, folder, "--elements", Integer.toString(elements));

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
        int arrayBytes = elements * Float.BYTES;
        assertThat(outcome.json()).contains("\"budgetBytes\": " + arrayBytes / 2, "\"leastBytesToDevice\": " + arrayBytes)
            .containsSubsequence("\"explicit\": {", "\"bytesToDevice\": %d, \"bytesToHost\": %d".formatted(arrayBytes, arrayBytes), "\"managed\": {",
                "\"bytesToDevice\": %d, \"bytesToHost\": %d".formatted(arrayBytes, arrayBytes));
        assertThat(outcome.out()).contains("DEVICE_FAULT", "EVICTION");
    }

    @Test
    void findsOutAWrongKernel() {
        StreamDemo wrong = new StreamDemo(WrongKernel.with("to[i] = a * from[i] + b", "to[i] = 0 * from[i]"));
        Outcome outcome = DemoRunner.run(wrong, DemoRunner.LWJGL, folder, "--elements", "100000", "--page-size", "4K");

        assertThat(outcome.exitCode()).isEqualTo(1);
        assertThat(outcome.json()).contains("\"ok\": false", "managed program, element 0: found=0.0, expected=1.0");
        assertThat(outcome.out()).contains("WRONG").doesNotContain("every element right");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "268435457", "many"})
    void refusesOtherSizes(String elements) {
        Outcome outcome = DemoRunner.run(new StreamDemo(), DemoRunner.LWJGL, folder, "--elements", elements);

        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.err()).contains("--elements").contains(elements);
    }
}
