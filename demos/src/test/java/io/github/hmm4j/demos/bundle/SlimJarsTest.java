package io.github.hmm4j.demos.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SlimJarsTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"linux/amd64/libzstd-jni-1.5.7-9.so", "linux/x64/org/lwjgl/liblwjgl.so", "lib/libJOCL_2_0_6-linux-x86_64.so",
        "io/github/hmm4j/native/linux-x86_64/libhmm.so", "org/lwjgl/system/SharedLibrary.class", "META-INF/freebsd/x64/org/lwjgl/liblwjgl.so.sha1"})
    void keeps(String entry) {
        assertThat(SlimJars.isWanted(entry)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"linux/aarch64/libzstd-jni-1.5.7-9.so", "linux/i386/libzstd-jni-1.5.7-9.so", "freebsd/amd64/libzstd-jni-1.5.7-9.so",
        "lib/JOCL_2_0_6-windows-x86_64.dll", "lib/libJOCL_2_0_6-apple-x86_64.dylib", "lib/libJOCL_2_0_6-linux-arm64.so", "win/amd64/libzstd-jni-1.5.7-9.dll"})
    void leavesOut(String entry) {
        assertThat(SlimJars.isWanted(entry)).isFalse();
    }

    @Test
    void theSameContentsMakeTheSameBytes() throws IOException {
        Path one = jar("one-1.0.jar", "b/b.txt", "a.txt", "b/", "META-INF/MANIFEST.MF", "win/amd64/x.dll");
        Path other = jar("other-1.0.jar", "META-INF/MANIFEST.MF", "b/", "a.txt", "b/b.txt");
        SlimJars.copy(one, folder.resolve("slim-one"));
        SlimJars.copy(other, folder.resolve("slim-other"));
        assertThat(folder.resolve("slim-one")).hasSameBinaryContentAs(folder.resolve("slim-other"));
        try (ZipFile slim = new ZipFile(folder.resolve("slim-one").toFile())) {
            assertThat(slim.stream().map(ZipEntry::getName)).containsExactly("META-INF/MANIFEST.MF", "a.txt", "b/", "b/b.txt");
            assertThat(slim.stream().map(ZipEntry::getMethod)).containsOnly(ZipEntry.STORED);
            assertThat(slim.getInputStream(slim.getEntry("b/b.txt")).readAllBytes()).isEqualTo("b/b.txt".getBytes(StandardCharsets.UTF_8));
        }
    }

    @Test
    void everyJarHasALicence() throws IOException {
        Path from = Files.createDirectory(folder.resolve("from"));
        Path known = Files.createDirectory(folder.resolve("known"));
        Files.writeString(known.resolve("silent.txt"), "what is known");
        jar("from/own-1.2.jar", "META-INF/LICENSE.txt", "a.txt");
        jar("from/silent-2.0-rc1.jar", "a.txt");
        Path licences = folder.resolve("licences");
        run(from, known, licences);
        assertThat(licences.resolve("own/LICENSE.txt")).hasContent("META-INF/LICENSE.txt");
        assertThat(licences.resolve("silent/silent.txt")).hasContent("what is known");
        assertThat(folder.resolve("to")).isDirectoryContaining("glob:**/own-1.2.jar");

        Files.delete(known.resolve("silent.txt"));
        assertThatThrownBy(() -> run(from, known, licences)).isInstanceOf(IOException.class).hasMessageContaining("jar=silent-2.0-rc1.jar");
    }

    private void run(Path from, Path known, Path licences) throws IOException {
        SlimJars.main(new String[] {from.toString(), folder.resolve("to").toString(), licences.toString(), known.toString()});
    }

    /// Entries that hold their own names.
    private Path jar(String name, String... entries) throws IOException {
        Path jar = folder.resolve(name);
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
            for (String entry : List.of(entries)) {
                zip.putNextEntry(new ZipEntry(entry));
                if (!entry.endsWith("/")) {
                    zip.write(entry.getBytes(StandardCharsets.UTF_8));
                }
                zip.closeEntry();
            }
        }
        return jar;
    }
}
