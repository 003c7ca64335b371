package io.github.hmm4j.transparent;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What ends while threads are in the middle of a fault: a heap, a program that forgot to close it, a JVM. The program is [EndWorker].
class EndTest {

    private static final Duration LIMIT = Duration.ofSeconds(100);

    @ParameterizedTest
    @ValueSource(strings = {"UFFD", "SIGSEGV"})
    void close_while_faulting(String mode) {
        ChildJvm.Result result = run(mode, "close");
        assertThat(result.numbers()).as(result.output()).containsEntry("told", result.numbers().get("threads"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"UFFD", "SIGSEGV"})
    void aProgramThatForgetsToCloseEnds(String mode) {
        run(mode, "return");
    }

    @ParameterizedTest
    @ValueSource(strings = {"UFFD", "SIGSEGV"})
    void aJvmExitsWhileThreadsFault(String mode) {
        run(mode, "exit");
    }

    private static ChildJvm.Result run(String mode, String how) {
        ChildJvm.Result result = ChildJvm.run(LIMIT, List.of("-Xmx64m"), EndWorker.class, mode, how);
        assertThat(result.status()).as(result.output()).isZero();
        return result;
    }
}
