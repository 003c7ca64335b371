package io.github.hmm4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Compiling with `-cl-std=CL1.2 -Werror`, which [ClHarness] always does.
final class BuildTest {

    @ParameterizedTest
    @MethodSource("io.github.hmm4j.kernels.KernelFiles#names")
    void everyFileCompilesAlone(String file) {
        try (ClHarness cl = ClHarness.openOrSkip()) {
            cl.build(Source.resource(file));
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.hmm4j.kernels.KernelFiles#names")
    void everyFileSaysWhatOthersNeedToKnow(String file) throws Exception {
        String text = Source.resource(file).text();
        assertThat(text).contains("// " + file + " - ").contains("In", "Out", "Grid:", "Needs:", "Moves:");
        String oracle = text.replaceAll("(?s).*Oracle: (\\w+)\\.java.*", "$1");
        assertThat(Class.forName("io.github.hmm4j.kernels." + oracle)).isNotNull();
    }

    @Test
    void errorsNameTheRealFileAndLineBehindAHeader() {
        assertBuildLog(Source.resource("bad/does_not_compile.cl"), "bad/does_not_compile.cl:6");
    }

    @Test
    void errorsInAHeaderNameTheHeader() {
        assertBuildLog(Source.resource("bad/includes_bad_header.cl"), "bad_header.clh:3");
    }

    @Test
    void errorsNameFilesWithOddNames(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("odd name.cl"), "\nkernel void f() { no_such_name = 1; }\n");
        assertBuildLog(Source.file(file), file + ":2");
    }

    @Test
    void writingThroughAConstHeapDoesNotCompile() {
        assertBuildLog(Source.resource("bad/writes_const_heap.cl"), "discards qualifiers", "writes_const_heap.cl:5");
    }

    private static void assertBuildLog(Source source, String... parts) {
        try (ClHarness cl = ClHarness.openOrSkip()) {
            assertThatThrownBy(() -> cl.build(source)).isInstanceOf(ClHarness.BuildFailed.class)
                    .hasMessageContainingAll(parts);
        }
    }
}
