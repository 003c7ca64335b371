package io.github.hmm4j.demos.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.demos.DemoRunner;
import io.github.hmm4j.demos.harness.Demo;
import io.github.hmm4j.demos.harness.DemoResult;
import io.github.hmm4j.demos.harness.RunContext;
import io.github.hmm4j.demos.matmul.MatmulDemo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TraceOptionTest {
    @TempDir
    private Path folder;

    /// Opens no heap.
    private static final class Failing implements Demo {
        @Override
        public String name() {
            return "failing";
        }

        @Override
        public String description() {
            return "Fails.";
        }

        @Override
        public DemoResult run(RunContext context) throws IOException {
            assertThat(context.device().trace()).isPresent();
            throw new IOException("nothing works");
        }
    }

    @Test
    void theManagedProgramOfADemoIsInTheFile() throws IOException {
        Path file = folder.resolve("trace.json");
        DemoRunner.Outcome outcome = DemoRunner.run(new MatmulDemo(), DemoRunner.LWJGL, folder, "--n", "64", "--trace", file.toString());
        assertThat(outcome.exitCode()).as(outcome.err()).isZero();
        assertThat(outcome.out()).contains("trace: " + file);
        List<String> lines = Files.readAllLines(file);
        assertThat(lines.getFirst()).isEqualTo("[");
        assertThat(lines.getLast()).isEqualTo("]");
        assertThat(lines).anyMatch(line -> line.contains("\"name\":\"launch mul_mat"))
            .anyMatch(line -> line.contains("\"cat\":\"device\"") && line.contains("\"kind\":\"KERNEL\""))
            .anyMatch(line -> line.contains("\"cat\":\"migration\""));
    }

    @Test
    void theFileIsEndedIfTheDemoFails() throws IOException {
        Path file = folder.resolve("trace.json");
        assertThat(DemoRunner.run(new Failing(), DemoRunner.LWJGL, folder, "--trace", file.toString()).exitCode()).isEqualTo(1);
        assertThat(Files.readString(file)).isEqualTo("[\n]\n");
    }

    @Test
    void aFullDiskTakesNoResultsWithIt() {
        DemoRunner.Outcome outcome = DemoRunner.run(new MatmulDemo(), DemoRunner.LWJGL, folder, "--n", "64", "--trace", "/dev/full");
        assertThat(outcome.exitCode()).isEqualTo(1);
        assertThat(outcome.out()).contains("matmul");
        assertThat(outcome.json()).contains("matmul");
        assertThat(outcome.err()).contains("--trace: trace file=/dev/full is not complete").doesNotContain("\tat ");
    }

    @Test
    void aFileThatCannotBeWrittenIsRefusedAtOnce() {
        Path file = folder.resolve("nowhere").resolve("trace.json");
        DemoRunner.Outcome outcome = DemoRunner.run(new Failing(), DemoRunner.LWJGL, folder, "--trace", file.toString());
        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.err()).contains("--trace: cannot write a file there: " + file);
    }
}
