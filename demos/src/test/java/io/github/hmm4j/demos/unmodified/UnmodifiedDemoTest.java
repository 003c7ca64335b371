package io.github.hmm4j.demos.unmodified;

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

class UnmodifiedDemoTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        DemoRunner.LWJGL + ",1", DemoRunner.LWJGL + ",100003", DemoRunner.JOCL + ",9999"
    })
    void packsAndUnpacksAsWithoutADevice(String variant, String values) {
        Outcome outcome = DemoRunner.run(new UnmodifiedDemo(), variant, folder, "--values", values);

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
        assertThat(outcome.json()).contains("\"ok\": true", "\"values\": " + values, "\"packedBytes\": ", "\"crc32c\": ");
        assertThat(outcome.out()).contains("the same file, checksum and numbers as without a device", "What the heap moved");
    }

    @Test
    void worksInABudgetThatIsSmallerThanTheHeap() {
        Outcome outcome = DemoRunner.run(new UnmodifiedDemo(), DemoRunner.LWJGL, folder, "--values", "100000", "--budget", "1M",
            "--page-size", "4K");

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
    }

    @Test
    void findsOutAWrongKernelByTheFile() {
        Outcome outcome = DemoRunner.run(wrong("planes[(size_t)b * n + i] ="), DemoRunner.LWJGL, folder, "--values", "1000");

        assertThat(outcome.exitCode()).isEqualTo(1);
        assertThat(outcome.json()).contains("\"ok\": false", "managed program: found=CRC32C");
        assertThat(outcome.out()).contains("WRONG").doesNotContain("the same file");
    }

    @Test
    void findsOutAWrongKernelByTheNumbers() {
        Outcome outcome = DemoRunner.run(wrong("values[i * size + b] ="), DemoRunner.LWJGL, folder, "--values", "1000");

        assertThat(outcome.exitCode()).isEqualTo(1);
        assertThat(outcome.json()).contains("\"ok\": false", "SHA-256");
    }

    /// One byte of what is written is another one.
    private static UnmodifiedDemo wrong(String store) {
        return new UnmodifiedDemo(WrongKernel.with(store, store + " i == 3 && b == 0 ? 42 :"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "100000001", "many"})
    void refusesOtherNumbersOfValues(String values) {
        Outcome outcome = DemoRunner.run(new UnmodifiedDemo(), DemoRunner.LWJGL, folder, "--values", values);

        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.err()).contains("--values").contains(values);
    }
}
