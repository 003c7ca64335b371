package io.github.hmm4j.demos.matmul;

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

class MatmulDemoTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        DemoRunner.LWJGL + ",1", DemoRunner.LWJGL + ",129", DemoRunner.JOCL + ",65"
    })
    void multipliesRight(String variant, String n) {
        Outcome outcome = DemoRunner.run(new MatmulDemo(), variant, folder, "--n", n);

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
        assertThat(outcome.json()).contains("\"ok\": true", "\"n\": " + n, "\"hostAccess\": ");
        assertThat(outcome.out()).contains("every element right", "What the heap moved", "LAUNCH");
    }

    @ParameterizedTest
    @ValueSource(strings = {DemoRunner.LWJGL, DemoRunner.JOCL})
    void countsTheCopiesOfBothPrograms(String variant) {
        Outcome outcome = DemoRunner.run(new MatmulDemo(), variant, folder, "--n", "128", "--page-size", "4K");

        int matrixBytes = 128 * 128 * 4;
        String bytes = "\"bytesToDevice\": %d, \"bytesToHost\": %d".formatted(2 * matrixBytes, matrixBytes);
        assertThat(outcome.json()).containsSubsequence("\"explicit\": {", bytes, "\"managed\": {", bytes);
        assertThat(outcome.out()).contains("the same bits from both programs");
    }

    @Test
    void worksInABudgetThatIsSmallerThanTheHeap() {
        Outcome outcome = DemoRunner.run(new MatmulDemo(), DemoRunner.LWJGL, folder, "--n", "100", "--budget", "1M");

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
    }

    @Test
    void saysWhatDoesNotFitTheBudget() {
        Outcome outcome = DemoRunner.run(new MatmulDemo(), DemoRunner.LWJGL, folder, "--n", "100", "--budget", "64K");

        assertThat(outcome.exitCode()).isEqualTo(1);
        assertThat(outcome.err()).contains("65536").doesNotContain("\tat ");
        assertThat(outcome.json()).contains("\"ok\": false");
    }

    @Test
    void findsOutAWrongKernel() {
        MatmulDemo wrong = new MatmulDemo(WrongKernel.with("vstore8(sum[i], 0, to);", "vstore8(sum[i], 0, to); r[3] = 42;"));
        Outcome outcome = DemoRunner.run(wrong, DemoRunner.LWJGL, folder, "--n", "16");

        assertThat(outcome.exitCode()).isEqualTo(1);
        assertThat(outcome.json()).contains("\"ok\": false", "managed program, row=0, column=3: found=42.0");
        assertThat(outcome.out()).contains("WRONG").doesNotContain("every element right");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "16385", "many"})
    void refusesOtherSizes(String n) {
        Outcome outcome = DemoRunner.run(new MatmulDemo(), DemoRunner.LWJGL, folder, "--n", n);

        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.err()).contains("--n").contains(n);
    }

    @Test
    void refusesADeviceThatIsNotThere() {
        Outcome outcome = DemoRunner.run(new MatmulDemo(), "--device nosuch", folder);

        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.err()).contains("--device", "nosuch", "there are", "emulated:PROFILE");
    }
}
