package io.github.hmm4j.demos.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/// A bundle that was made before (`demos/hmm bundle`) in a root folder with nothing but a C library and an OpenCL driver: minutes, so only with `-Dhmm.bundle=FILE`.
@EnabledIfSystemProperty(named = "hmm.bundle", matches = ".+", disabledReason = "takes minutes and a bundle: -Dhmm.bundle=FILE")
@Timeout(value = 30, unit = TimeUnit.MINUTES)
class EmptyRootTest {
    private static final int CANNOT = 77;

    @Test
    void runsWhereThereIsNothingElse() throws Exception {
        Path bundle = Path.of(System.getProperty("hmm.bundle")).toAbsolutePath();
        Path log = Path.of("target", "bundle-in-empty-root.log").toAbsolutePath();
        ProcessBuilder builder = new ProcessBuilder(Path.of("src/test/sh/bundle-in-empty-root.sh").toAbsolutePath().toString(), bundle.toString())
            .redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().remove("LD_PRELOAD");
        int status = builder.start().waitFor();
        String said = Files.readString(log);
        assumeTrue(status != CANNOT, said);
        assertThat(status).as(said).isZero();
    }
}
