package io.github.hmm4j.space;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The script that builds the native part, run on a small source in a folder whose name has a blank.
class NativeBuildTest {

    @TempDir
    private Path temporary;

    private Path source;
    private Path script;
    private Path output;
    private Path library;

    @BeforeEach
    void copyTheScript() throws IOException {
        Path folder = Files.createDirectory(temporary.resolve("sources of mine"));
        script = Files.copy(Path.of("src/main/c/build.sh"), folder.resolve("build.sh"));
        for (String shared : List.of("old_glibc.h", "turns.h")) {
            Files.copy(Path.of("src/main/c", shared), folder.resolve(shared));
        }
        source = Files.writeString(folder.resolve("trivial.c"), "#include <pthread.h>\nint trivial(void);\nint trivial(void) { return 0; }\n");
        output = temporary.resolve("made of it");
        library = output.resolve(NativeCode.platform()).resolve("libhmm.so");
    }

    @Test
    void theNativePartIsThereWhereACompilerWorks() throws Exception {
        assumeTrue(System.getProperty("hmm.native") == null, "this run has another library");
        buildOrSkip();
        assertThat(NativeCode.load().whyNot()).isEmpty();
    }

    @Test
    void buildsAgainOnlyWhatHasChanged() throws Exception {
        buildOrSkip();
        FileTime first = Files.getLastModifiedTime(library);
        Object file = Files.getAttribute(library, "unix:ino");
        assertThat(build(Map.of())).isEqualTo(new Tool.Result(0, ""));
        assertThat(Files.getAttribute(library, "unix:ino")).isEqualTo(file);

        Files.setLastModifiedTime(source, FileTime.fromMillis(first.toMillis() + 1));
        assertThat(build(Map.of())).isEqualTo(new Tool.Result(0, ""));
        assertThat(Files.getLastModifiedTime(library)).isGreaterThan(first);
    }

    @Test
    void aSourceThatIsRefusedLeavesNoLibrary() throws Exception {
        buildOrSkip();
        Files.writeString(source, "int trivial(void) { return nothing; }\n");
        Tool.Result result = build(Map.of());
        assertThat(result.status()).isZero();
        assertThat(result.text()).contains("nothing").containsOnlyOnce("WARNING: hmm4j is built without its native part for " + NativeCode.platform() + ": the compiler refused it: ");
        try (var files = Files.walk(output)) {
            assertThat(files.filter(Files::isRegularFile)).isEmpty();
        }
    }

    @Test
    void buildsTheEmulatedGpuBesideIt() throws Exception {
        Path folder = Files.createDirectory(source.resolveSibling("gpu"));
        Path layer = Files.writeString(folder.resolve("layer.c"), "int layer(void);\nint layer(void) { return 0; }\n");
        buildOrSkip();
        Path emulated = library.resolveSibling("libhmm-emulated-gpu.so");
        assertThat(emulated).isRegularFile();
        FileTime first = Files.getLastModifiedTime(emulated);
        Files.setLastModifiedTime(source.resolveSibling("turns.h"), FileTime.fromMillis(first.toMillis() + 1)); // which both are made from
        assertThat(build(Map.of())).isEqualTo(new Tool.Result(0, ""));
        assertThat(Files.getLastModifiedTime(emulated)).isGreaterThan(first);
        first = Files.getLastModifiedTime(library);

        Files.writeString(layer, "int layer(void) { return nothing; }\n");
        Files.setLastModifiedTime(layer, FileTime.fromMillis(Files.getLastModifiedTime(emulated).toMillis() + 1000));
        Tool.Result result = build(Map.of());
        assertThat(result.status()).isZero();
        assertThat(result.text()).contains("WARNING: hmm4j is built without its emulated GPU for " + NativeCode.platform());
        assertThat(emulated).doesNotExist();
        assertThat(Files.getLastModifiedTime(library)).isEqualTo(first);
    }

    @Test
    void aMissingCompilerIsAWarning() throws Exception {
        Tool.Result result = build(Map.of("CC", "/nowhere/cc"));
        assertThat(result.status()).isZero();
        assertThat(result.text()).startsWith("WARNING: ").contains("/nowhere/cc");
        assertThat(library).doesNotExist();
    }

    private Tool.Result build(Map<String, String> environment) throws Exception {
        return Tool.run(environment, "sh", script.toString(), output.toString());
    }

    private void buildOrSkip() throws Exception {
        Tool.Result result = build(Map.of());
        assertThat(result.status()).as(result.text()).isZero();
        assumeTrue(Files.exists(library), "no C compiler of this machine works: " + result.text());
    }
}
