package io.github.hmm4j.transparent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A kernel that has userfaultfd, but not all of it that is needed, which shows only when it is tried: the ladder goes
/// on to the next rung and says why. The program is [OlderKernelWorker].
@Tag("source-tree") // compiles a library of it
class OlderKernelTest {

    private static final Duration LIMIT = Duration.ofSeconds(100);

    @TempDir
    private Path folder;

    @Test
    void theLadderGoesOnToTheNextRung() throws IOException, InterruptedException {
        Path shim = folder.resolve("before_6_4.so");
        ProcessBuilder compiler = new ProcessBuilder("cc", "-std=c17", "-Wall", "-Wextra", "-Werror", "-shared",
                "-fPIC", "-o", shim.toString(), "src/test/c/kernel/before_6_4.c");
        compiler.environment().remove("LD_PRELOAD");
        assumeTrue(works(compiler), "there is no cc");
        ChildJvm.Result result = ChildJvm.run(LIMIT, ChildJvm.JSIG + ":" + shim, List.of(), OlderKernelWorker.class);
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output()).contains("best: SIGSEGV, ").contains("done touched=1");
        String why = "mapping a page for reading only (UFFDIO_CONTINUE_MODE_WP, Linux 6.4): refused (errno=EINVAL (22))";
        String notAtAll = "userfaultfd: refused (not permitted)"; // a machine that gives it to nobody
        assertThat(result.output().lines().filter(line -> line.startsWith("best: ") || line.startsWith("UFFD: ") || line.startsWith("UFFD_IN_THREAD: ")))
                .hasSize(3).allMatch(line -> line.contains(why) || line.contains(notAtAll));
    }

    private static boolean works(ProcessBuilder compiler) throws InterruptedException {
        try {
            return compiler.inheritIO().start().waitFor() == 0;
        } catch (IOException _) {
            return false;
        }
    }
}
