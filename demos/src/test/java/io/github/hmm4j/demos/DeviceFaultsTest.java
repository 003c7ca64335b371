package io.github.hmm4j.demos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.github.hmm4j.demos.DemoRunner;
import io.github.hmm4j.demos.DemoRunner.Outcome;
import io.github.hmm4j.demos.harness.Demo;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The kernels of the other demos, which know nothing of pages either, over four times what the device may hold.
class DeviceFaultsTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"matmul,--n 700,1400K", "matmul,--n 1024,3M", "bfs,,370K", "unmodified,--values 100000,450K", "tree,--lookups 5000,700K"})
    void isRight(String name, String size, String budget) {
        Demo demo = HmmCommand.demos().stream().filter(one -> one.name().equals(name)).findFirst().orElseThrow();
        String options = DemoRunner.LWJGL + " --device-faults --page-size 4K --budget " + budget + (size == null ? "" : " " + size);
        Outcome outcome = DemoRunner.run(demo, options, folder);
        assumeFalse(outcome.err().contains("deviceFaults needs"), outcome.err());

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
        assertThat(outcome.json()).contains("\"ok\": true");
        assertThat(outcome.out()).contains("DEVICE_FAULT", "device.evicted");
    }
}
