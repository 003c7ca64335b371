package io.github.hmm4j.transparent;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What ends while threads are in the middle of a fault: a heap, a program that forgot to close it, a JVM. The program is [EndWorker].
@Timeout(300)
class EndTest {

    private static final Duration LIMIT = Duration.ofSeconds(100);

    @Test
    void close_while_faulting() {
        closeWhileFaulting("UFFD");
    }

    @Test
    void aProgramThatForgetsToCloseEnds() {
        run("UFFD", "return");
    }

    @Test
    void aJvmExitsWhileThreadsFault() {
        run("UFFD", "exit");
    }

    @Tag("elsewhere")
    @Test
    void theSameWithTheOtherRungs() {
        for (String mode : List.of("SIGSEGV", "UFFD_IN_THREAD")) {
            closeWhileFaulting(mode);
            run(mode, "return");
            run(mode, "exit");
        }
    }

    private static void closeWhileFaulting(String mode) {
        ChildJvm.Result result = run(mode, "close");
        assertThat(result.numbers()).as(result.output()).containsEntry("told", result.numbers().get("threads"));
    }

    private static ChildJvm.Result run(String mode, String how) {
        ChildJvm.Result result = ChildJvm.run(LIMIT, System.getenv().getOrDefault("LD_PRELOAD", ChildJvm.JSIG), how.equals("close") ? Map.of() : ChildJvm.leaksIgnored(), List.of("-Xmx64m"), EndWorker.class, mode, how);
        assertThat(result.status()).as(result.output()).isZero();
        return result;
    }
}
