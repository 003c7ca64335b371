package io.github.hmm4j.transparent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Host memory that the system does not have, while the only copy of the pages is on the device: an error of whoever
/// wanted it, and nothing else. The program is [ScarceMemoryWorker]; its native part is built with system calls that
/// refuse when they are told to (`src/test/c/shim/scarce.c`). What a full file system does is in `scarce_test.c`.
@Tag("source-tree") // compiles the native part
class ScarceMemoryTest {

    private static final Duration LIMIT = Duration.ofSeconds(100);
    private static final Path SOURCES = Path.of("src").toAbsolutePath();

    @TempDir
    private Path folder;

    @Test
    void isATypedErrorAndLosesNothing() throws IOException, InterruptedException {
        check("UFFD");
    }

    @Tag("elsewhere")
    @Test
    void isOneOnTheOtherRung() throws IOException, InterruptedException {
        check("SIGSEGV");
    }

    private void check(String mode) throws IOException, InterruptedException {
        Path library = folder.resolve("libhmm-scarce.so");
        assumeTrue(compile(library) == 0, "there is no cc, or it refuses the native part");
        List<String> options = List.of("-Dhmm.native=" + library);
        ChildJvm.Result result = ChildJvm.run(LIMIT, options, ScarceMemoryWorker.class, mode, library.toString());
        assumeTrue(result.status() != ScarceMemoryWorker.NO_SUCH_RUNG, result.output());
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.numbers()).as(result.output()).containsEntry("errors", 6L);
    }

    private int compile(Path library) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("cc", "-std=c17", "-O1", "-g", "-fvisibility=hidden", "-fPIC",
                "-shared", "-pthread", "-Wl,-z,now", "-o", library.toString()));
        try (Stream<Path> files = Files.list(SOURCES.resolve("main/c"))) {
            files.map(Path::toString).filter(name -> name.endsWith(".c")).sorted().forEach(command::add);
        }
        command.addAll(List.of(SOURCES.resolve("test/c/shim/scarce.c").toString(), "-ldl"));
        try {
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
            return builder.redirectOutput(folder.resolve("cc.log").toFile()).start().waitFor();
        } catch (IOException _) {
            return -1; // no cc
        }
    }
}
