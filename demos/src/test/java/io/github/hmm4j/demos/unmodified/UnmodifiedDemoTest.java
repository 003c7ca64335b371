package io.github.hmm4j.demos.unmodified;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.demos.DemoRunner;
import io.github.hmm4j.demos.DemoRunner.Outcome;
import io.github.hmm4j.demos.device.JavaKernels;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UnmodifiedDemoTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        DemoRunner.LWJGL + ",1", DemoRunner.LWJGL + ",100003", DemoRunner.JOCL + ",70000", DemoRunner.SIM + ",1",
        DemoRunner.SIM + ",9999"
    })
    void packsAndUnpacksAsWithoutADevice(String variant, String values) {
        Outcome outcome = DemoRunner.run(new UnmodifiedDemo(), variant, folder, "--values", values);

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
        assertThat(outcome.json()).contains("\"ok\": true", "\"values\": " + values, "\"packedBytes\": ", "\"crc32c\": ");
        assertThat(outcome.out()).contains("the same file, checksum and numbers as without a device", "What the heap moved");
    }

    @ParameterizedTest
    @ValueSource(strings = {DemoRunner.LWJGL, DemoRunner.SIM})
    void worksInABudgetThatIsSmallerThanTheHeap(String variant) {
        Outcome outcome = DemoRunner.run(new UnmodifiedDemo(), variant, folder, "--values", "100000", "--budget", "1M",
            "--page-size", "4K");

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
    }

    @Test
    void findsOutAWrongKernelByTheFile() {
        Outcome outcome = DemoRunner.run(wrong("shuffle_bytes"), DemoRunner.SIM, folder, "--values", "1000");

        assertThat(outcome.exitCode()).isEqualTo(1);
        assertThat(outcome.json()).contains("\"ok\": false", "managed program: found=CRC32C");
        assertThat(outcome.out()).contains("WRONG").doesNotContain("the same file");
    }

    @Test
    void findsOutAWrongKernelByTheNumbers() {
        Outcome outcome = DemoRunner.run(wrong("unshuffle_bytes"), DemoRunner.SIM, folder, "--values", "1000");

        assertThat(outcome.exitCode()).isEqualTo(1);
        assertThat(outcome.json()).contains("\"ok\": false", "SHA-256");
    }

    private static UnmodifiedDemo wrong(String kernel) {
        return new UnmodifiedDemo(JavaKernels.allAnd(Map.of(kernel,
            (arguments, _) -> arguments.memory(1).set(JAVA_BYTE, 3, (byte) 42))));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "100000001", "many"})
    void refusesOtherNumbersOfValues(String values) {
        Outcome outcome = DemoRunner.run(new UnmodifiedDemo(), DemoRunner.SIM, folder, "--values", values);

        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.err()).contains("--values").contains(values);
    }
}
