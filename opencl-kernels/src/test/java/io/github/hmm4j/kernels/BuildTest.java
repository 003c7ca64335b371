package io.github.hmm4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
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
    void aHeaderThatIsMissingIsTheCompilersBusiness() {
        assertBuildLog(Source.text("k.cl", "int x;\n#include \"nope.clh\"\n"), "k.cl:2", "nope.clh");
    }

    @Test
    void aHeaderThatIncludesItselfIsTold(@TempDir Path folder) throws Exception {
        Files.writeString(folder.resolve("endless.clh"), "int f(void);\n#include \"endless.clh\"\n");
        assertBuildLog(Source.file(Files.writeString(folder.resolve("k.cl"), "#include \"endless.clh\"\n")),
                "endless.clh:2", "includes itself");
    }

    /// Headers in branches that are left out, included twice on purpose, once, and by each other; old comments and
    /// marks.
    @Test
    void headersAreWhatTheyAreForACompiler(@TempDir Path folder) throws Exception {
        Files.createDirectories(folder.resolve("lib"));
        Files.writeString(folder.resolve("list.inc"), "X(1) X(2)\n");
        Files.writeString(folder.resolve("lib/once.clh"),
                "#pragma once\nint once(void);\nint once(void) { return 1; }\n");
        Files.writeString(folder.resolve("lib/a.clh"),
                "#ifndef A\n#define A\n#include \"b.clh\"\n#include \"once.clh\"\n#endif\n");
        Files.writeString(folder.resolve("lib/b.clh"),
                "#include \"a.clh\"\n#include \"once.clh\"\nint b(void);\nint b(void) { return once(); }\n");
        Files.write(folder.resolve("old.clh"),
                "// Gr\u00f6\u00dfe, don't\n#define OLD 5\n".getBytes(StandardCharsets.ISO_8859_1));
        Path file = Files.writeString(folder.resolve("k.cl"), """
                \ufeff#if 0
                #include "no_such_header.clh"
                #include "lib/once.clh"
                #else
                #include "lib/a.clh"
                #endif
                #include "old.clh"
                kernel void f(global int *out) {
                    int sum = OLD + b();
                #define X(n) sum += n;
                #include "list.inc"
                #undef X
                #define X(n) sum *= n;
                #include "list.inc"
                    *out = sum;
                    no_such_name();
                }
                """);
        assertBuildLog(Source.file(file), file + ":16");
        Files.writeString(file, Files.readString(file).replace("no_such_name();", ""));
        try (ClHarness cl = ClHarness.openOrSkip()) {
            cl.build(Source.file(file));
        }
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
