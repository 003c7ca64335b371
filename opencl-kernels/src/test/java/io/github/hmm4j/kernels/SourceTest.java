package io.github.hmm4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.module.ModuleFinder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import javax.tools.ToolProvider;
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
    void includesAHeaderAsOftenAsItIsNamed() throws Exception {
        Files.writeString(folder.resolve("list.inc"), "X(1)\nX(2)\n");
        Path file = Files.writeString(folder.resolve("k.cl"), """
                constant int squares[] = {
                #define X(n) n * n,
                #include "list.inc"
                };
                #undef X
                #define X(n) case n:
                #include "list.inc"
                """);
        assertThat(Source.file(file).text()).isEqualTo("""
                #line 1 "NAME"
                constant int squares[] = {
                #define X(n) n * n,
                #line 1 "list.inc"
                X(1)
                X(2)
                #line 4 "NAME"
                };
                #undef X
                #define X(n) case n:
                #line 1 "list.inc"
                X(1)
                X(2)
                #line 8 "NAME"
                """.replace("NAME", file.toString()));
    }

    @Test
    void whatSaysThatItIsToBeIncludedOnceGetsAGuard() throws Exception {
        Files.writeString(folder.resolve("own.clh"), "#pragma once\nint x;\n");
        Path file = Files.writeString(folder.resolve("k.cl"), "#include \"own.clh\"\n#include \"./own.clh\"\n");
        String text = Source.file(file).text();
        assertThat(text.split("#ifndef HMM_INCLUDED_ONCE_0\n#define HMM_INCLUDED_ONCE_0\n#line 1 \"(./)?own.clh\"\n\nint x;\n#endif\n", -1)).hasSize(3);
        assertThat(text).doesNotContain("pragma");
    }

    @Test
    void aHeaderFindsItsNeighbours() throws Exception {
        Files.createDirectories(folder.resolve("lib/deep"));
        Files.writeString(folder.resolve("lib/a.clh"),
                "#include \"b.clh\"\n#include \"deep/c.clh\"\n#include \"top.clh\"\n");
        Files.writeString(folder.resolve("lib/b.clh"), "int b;\n");
        Files.writeString(folder.resolve("b.clh"), "int not_this_one;\n");
        Files.writeString(folder.resolve("top.clh"), "int top;\n");
        Files.writeString(folder.resolve("lib/deep/c.clh"), "#include \"../b.clh\"\n#include \"hmm.clh\"\n");
        Path file = Files.writeString(folder.resolve("k.cl"), "#include \"lib/a.clh\"\n");
        assertThat(Source.file(file).text()).contains("#line 1 \"lib/b.clh\"\nint b;\n",
                "#line 1 \"lib/deep/../b.clh\"\nint b;\n", "#line 1 \"top.clh\"\nint top;\n", "#define HMM_PTR")
                .doesNotContain("not_this_one");
        assertThat(Source.resource("includes/uses_neighbours.cl").text())
                .contains("#line 1 \"deep/first.clh\"\n", "#line 1 \"deep/second.clh\"\n",
                "#line 1 \"deep/../own.clh\"\n");
    }

    @Test
    void aHeaderThatIncludesItselfIsAnErrorOnlyWhereItIsCompiled() throws Exception {
        Files.writeString(folder.resolve("guarded.clh"),
                "/* words */\n#ifndef G\n#define G\n#include \"other.clh\"\n#endif // G\n");
        Files.writeString(folder.resolve("other.clh"), "#include \"guarded.clh\"\nint other;\n");
        Files.writeString(folder.resolve("endless.clh"), "#if 0\n#include \"endless.clh\"\n#endif\n");
        Path file = Files.writeString(folder.resolve("k.cl"), "#include \"guarded.clh\"\n#include \"endless.clh\"\n");
        assertThat(Source.file(file).text()).contains("int other;").containsOnlyOnce("#define G")
                .contains("#line 2 \"endless.clh\"\n#error endless.clh includes itself, and has neither a guard nor #pragma once\n");
    }

    @Test
    void headersThatDoubleWithoutEndAreRefused() throws Exception {
        String ballast = "// %s%n".formatted("x".repeat(65_536));
        for (int i = 0; i < 40; i++) {
            Files.writeString(folder.resolve(i + ".clh"), "%2$s#include \"%1$d.clh\"\n#include \"%1$d.clh\"\n".formatted(i + 1, ballast));
        }
        Files.writeString(folder.resolve("40.clh"), "int x;\n");
        Path file = Files.writeString(folder.resolve("k.cl"), "#include \"0.clh\"\n");
        assertThatIllegalArgumentException().isThrownBy(() -> Source.file(file))
                .withMessageContainingAll("more than 16777216 characters", "include=");
    }

    @Test
    void linesAreCountedRightBehindABranchThatIsLeftOut() {
        String text = Source.text("k.cl", "#if 0\n#include \"hmm.clh\"\n#else\nint a;\n#endif\nint b;\n").text();
        assertThat(text).contains("#else\n#line 4 \"k.cl\"\nint a;\n#endif\n#line 6 \"k.cl\"\nint b;\n");
    }

    @Test
    void saysWhetherTheCompilerHasMoreToInclude() {
        assertThat(Source.text("k.cl", "#include \"hmm.clh\"\n// #include <x>\n#define I \\\n#include \"x\"\n")
                .leavesIncludes()).isFalse();
        assertThat(Source.text("k.cl", "#include <hmm.clh>\n").leavesIncludes()).isTrue();
        assertThat(Source.text("k.cl", "#include NAME\n").leavesIncludes()).isTrue();
        assertThat(Source.text("k.cl", "#if 0\n # /* a comment */ include \"x.h\"\n#endif\n").leavesIncludes())
                .isTrue();
        for (String name : KernelFiles.names()) {
            assertThat(Source.resource(name).leavesIncludes()).as(name).isFalse();
        }
    }

    @Test
    void readsOldAndMarkedFiles() throws Exception {
        String code = "// Gr\u00f6\u00dfe\nint x;\n";
        for (Charset charset : List.of(StandardCharsets.UTF_8, StandardCharsets.ISO_8859_1, StandardCharsets.UTF_16LE,
                StandardCharsets.UTF_16BE)) {
            for (boolean marked : new boolean[] {false, true}) {
                if (marked == charset.equals(StandardCharsets.ISO_8859_1)
                        || (!marked && charset.name().startsWith("UTF-16"))) {
                    continue; // has no mark, or is not told without
                }
                Files.write(folder.resolve("own.clh"), ((marked ? "\ufeff" : "") + code).getBytes(charset));
                Path file = Files.write(folder.resolve("k.cl"),
                        ((marked ? "\ufeff" : "") + "#include \"own.clh\"\n" + code).getBytes(charset));
                assertThat(Source.file(file).text()).as("%s, marked=%s", charset, marked)
                        .isEqualTo("#line 1 \"" + file + "\"\n#line 1 \"own.clh\"\n" + code + "#line 2 \"" + file
                                + "\"\n" + code);
            }
        }
        assertThat(Source.text("k.cl", "\ufeffint x;").text()).isEqualTo("#line 1 \"k.cl\"\nint x;\n");
    }

    @Test
    void findsWhatBelongsToAClass() {
        Source source = Source.resource(SourceTest.class, "beside.cl");
        assertThat(source.text()).contains("#line 1 \"beside.cl\"\n", "#line 1 \"beside.clh\"\n", "#define HMM_PTR");
        assertThat(Source.resource(SourceTest.class, "/includes/uses_both.cl").text()).contains("return 1;");
        assertThatIllegalArgumentException().isThrownBy(() -> Source.resource(SourceTest.class, "nope.cl"))
                .withMessage("no such OpenCL source: name=nope.cl, tried io/github/hmm4j/kernels/nope.cl where class=io.github.hmm4j.kernels.SourceTest is");
    }

    /// A module that opens none of its packages, and whose resources no class loader shows to others.
    @Test
    void findsWhatAModuleKeepsToItself() throws Exception {
        Path sources = Files.createDirectories(folder.resolve("src/shut/inner"));
        Files.writeString(folder.resolve("src/module-info.java"), "module shut { exports shut.inner; }");
        Path code = Files.writeString(sources.resolve("Owner.java"), "package shut.inner; public class Owner {}");
        Path classes = folder.resolve("classes");
        assertThat(ToolProvider.getSystemJavaCompiler().run(null, null, null, "-d", classes.toString(),
                folder.resolve("src/module-info.java").toString(), code.toString())).isZero();
        Files.writeString(classes.resolve("shut/inner/own.cl"), "#include \"own.clh\"\nint x;\n");
        Files.writeString(classes.resolve("shut/inner/own.clh"), "int y;\n");
        ModuleLayer layer = ModuleLayer.boot().defineModulesWithOneLoader(
                ModuleLayer.boot().configuration().resolve(ModuleFinder.of(classes), ModuleFinder.of(), Set.of("shut")),
                        null);
        Class<?> owner = layer.findLoader("shut").loadClass("shut.inner.Owner");
        assertThat(owner.getResourceAsStream("own.cl")).isNull();
        assertThat(Source.resource(owner, "own.cl").text()).contains("int y;\n", "int x;\n");
        assertThatIllegalArgumentException().isThrownBy(() -> Source.resource(owner, "nope.cl"))
                .withMessageContaining("shut/inner/nope.cl");
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
    void leavesHeadersThatAreNotBesideItToTheCompiler() {
        assertThat(Source.text("k.cl", "\n#include \"nope.clh\"\n").text())
                .isEqualTo("#line 1 \"k.cl\"\n\n#include \"nope.clh\"\n");
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
