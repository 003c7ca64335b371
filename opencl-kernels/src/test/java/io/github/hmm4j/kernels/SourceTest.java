package io.github.hmm4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class SourceTest {

    @TempDir
    Path folder;

    @Test
    void findsKernelsOfTheLibraryByTheirBareName() {
        Source source = Source.resource("tree.cl");
        assertThat(source.name()).isEqualTo("tree.cl");
        assertThat(source.text()).startsWith("#line 1 \"tree.cl\"\n")
                .contains("kernel void tree_search(", "#define HMM_PTR", "#line 1 \"hmm.clh\"\n")
                .doesNotContain("#include \"hmm.clh\"");
    }

    @Test
    void findsKernelsOfTheApplicationByTheirPath() {
        Source source = Source.resource("includes/uses_both.cl");
        assertThat(source.name()).isEqualTo("includes/uses_both.cl");
        assertThat(source.text()).contains("int own(void) { return 1; }", "kernel void f(");
    }

    @Test
    void includesEachHeaderOnce() {
        String text = Source.resource("includes/uses_both.cl").text();
        assertThat(text.split("#define HMM_CLH\n", -1)).hasSize(2);
        assertThat(text.split("return 1;", -1)).hasSize(2);
    }

    @Test
    void leavesIncludesInCommentsAlone() {
        assertThat(Source.resource("includes/uses_both.cl").text())
                .contains("#include \"no_such_header.clh\"", "// #include \"nor_this.clh\"");
    }

    @Test
    void goesOnCountingBehindAHeader() {
        String text = Source.text("k.cl", "// one\n#include \"hmm.clh\"\n// three\n").text();
        assertThat(text).startsWith("#line 1 \"k.cl\"\n// one\n#line 1 \"hmm.clh\"\n")
                .endsWith("#endif\n#line 3 \"k.cl\"\n// three\n");
    }

    @Test
    void aStringThatLooksLikeACommentHidesNothing() {
        String text = Source.text("k.cl", "constant char *s = \"/*\";\n#include \"hmm.clh\"\n").text();
        assertThat(text).contains("#define HMM_PTR");
    }

    @Test
    void aCommentThatEndsInItsOwnLineHidesNothing() {
        String text = Source.text("k.cl", "int a; /* one */ /* two */\n#include \"hmm.clh\"\n").text();
        assertThat(text).contains("#define HMM_PTR");
    }

    @Test
    void includesHeadersBesideAFileBeforeThoseOfTheLibrary() throws Exception {
        Files.writeString(folder.resolve("own.clh"), "#define OWN 1\n");
        Files.writeString(folder.resolve("hmm.clh"), "#define MINE 1\n");
        Path file = Files.writeString(folder.resolve("k.cl"), "#include \"own.clh\"\r\n#include \"hmm.clh\"\r\nint x;");
        Source source = Source.file(file);
        assertThat(source.name()).isEqualTo(file.toString());
        assertThat(source.text()).contains("#define OWN 1\n", "#define MINE 1\n", "#line 3 \"" + file + "\"\nint x;\n")
                .doesNotContain("HMM_PTR", "\r");
    }

    @Test
    void quotesOddNames() {
        assertThat(Source.text("a \"b\\c\".cl", "").text()).isEqualTo("#line 1 \"a \\\"b\\\\c\\\".cl\"\n");
    }

    @Test
    void leavesIncludesInAngleBracketsToTheCompiler() {
        assertThat(Source.text("k.cl", "#include <x.h>\n").text()).contains("#include <x.h>\n");
    }

    @Test
    void rejectsAMissingResource() {
        assertThatIllegalArgumentException().isThrownBy(() -> Source.resource("nope.cl"))
                .withMessageContainingAll("name=nope.cl", "opencl/kernels/nope.cl");
    }

    @Test
    void rejectsAMissingFile() {
        Path file = folder.resolve("nope.cl");
        assertThatIllegalArgumentException().isThrownBy(() -> Source.file(file)).withMessageContaining("file=" + file);
        assertThatIllegalArgumentException().isThrownBy(() -> Source.file(folder));
    }

    @Test
    void rejectsAMissingHeaderAndSaysWhoIncludesIt() {
        assertThatIllegalArgumentException().isThrownBy(() -> Source.text("k.cl", "\n\n#include \"nope.clh\"\n"))
                .withMessageContainingAll("include=nope.clh", "k.cl:3");
    }

    @Test
    void rejectsANulThatWouldCutTheProgramOff() throws Exception {
        assertThatIllegalArgumentException().isThrownBy(() -> Source.text("k.cl",
                "kernel void f() {}\n// \0\nkernel void g() {}\n"))
                .withMessageContainingAll("index=22", "k.cl", "line 2");
        Files.writeString(folder.resolve("own.clh"), "\0");
        Path file = Files.writeString(folder.resolve("k.cl"), "#include \"own.clh\"\n");
        assertThatIllegalArgumentException().isThrownBy(() -> Source.file(file))
                .withMessageContainingAll("index=0", "own.clh", "line 1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\0.cl", "a\n.cl", "a\r.cl"})
    void rejectsANameThatWouldBeCode(String name) {
        assertThatIllegalArgumentException().isThrownBy(() -> Source.text(name, "int x;\n"))
                .withMessageContainingAll("name=\"a\"", "index=1");
    }

    @Test
    void rejectsSuchAFileName() throws Exception {
        Path file = Files.writeString(folder.resolve("a\nb.cl"), "int x;\n");
        assertThatIllegalArgumentException().isThrownBy(() -> Source.file(file)).withMessageContaining("line end");
    }
}
