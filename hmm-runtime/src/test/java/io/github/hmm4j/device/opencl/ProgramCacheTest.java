package io.github.hmm4j.device.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.device.KernelParameter;
import io.github.hmm4j.device.KernelParameter.Space;
import io.github.hmm4j.kernels.Source;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The folder of compiled programs, without a driver. [KeptProgramsTest] has those that have one.
class ProgramCacheTest {

    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

    @TempDir
    Path temporary;

    private static StoredProgram program(int bytes) {
        byte[] binary = new byte[bytes];
        Arrays.fill(binary, (byte) bytes);
        return new StoredProgram(binary, Map.of(
                "first", List.of(new KernelParameter(0, "out", "float*", Space.GLOBAL, false),
                        new KernelParameter(1, "s", "struct \u00e4", Space.PRIVATE, true)),
                "second", List.of()));
    }

    private ProgramCache cache(long mostBytes) {
        return ProgramCache.in(temporary.resolve("some/folder"), mostBytes, Clock.fixed(NOW, ZoneOffset.UTC));
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(temporary.resolve("some/folder"))) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void whatIsKeptIsFound() throws Exception {
        ProgramCache cache = cache(1 << 20);
        assertThat(cache.find("a")).isEmpty();
        cache.keep("a", program(1000));
        cache.keep("b", program(7));
        assertThat(cache.find("a")).hasValueSatisfying(found -> {
            assertThat(found.binary()).hasSize(1000).containsOnly(1000 & 0xff);
            assertThat(found.kernels()).isEqualTo(program(1).kernels());
        });
        assertThat(cache.find("b")).hasValueSatisfying(found -> assertThat(found.binary()).hasSize(7));
        assertThat(cache.find("c")).isEmpty();
        cache.keep("b", program(8));
        assertThat(cache.find("b")).hasValueSatisfying(found -> assertThat(found.binary()).hasSize(8));
        assertThat(names()).containsExactly("a.program", "b.program");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(temporary.resolve("some/folder"))))
                .isEqualTo("rwx------");
    }

    @Test
    void aDamagedFileIsNone() throws Exception {
        ProgramCache cache = cache(1 << 20);
        cache.keep("a", program(100));
        Path file = temporary.resolve("some/folder/a.program");
        byte[] good = Files.readAllBytes(file);
        for (int i = 0; i < good.length; i++) {
            byte[] bad = good.clone();
            bad[i] ^= 4;
            Files.write(file, bad);
            assertThat(cache.find("a")).as("byte %d", i).isEmpty();
            Files.write(file, Arrays.copyOf(good, i));
            assertThat(cache.find("a")).as("%d bytes", i).isEmpty();
        }
        Files.write(file, good);
        assertThat(cache.find("a")).isPresent();
    }

    @Test
    void whatCannotHaveBeenKeptIsNotRead() throws Exception {
        ProgramCache cache = cache(1 << 20);
        cache.keep("a", program(100));
        Path file = temporary.resolve("some/folder/a.program");
        try (RandomAccessFile grown = new RandomAccessFile(file.toFile(), "rw")) {
            grown.setLength(3L << 30); // no array holds it
        }
        assertThat(cache.find("a")).isEmpty();
        cache.keep("a", program(100));
        assertThat(cache.find("a")).isPresent();
        Files.delete(file);
        Files.createDirectory(file);
        assertThat(cache.find("a")).isEmpty();
        cache.keep("a", program(100)); // in vain
    }

    @Test
    void whatIsLongestUnusedGoesFirst() throws Exception {
        int fileBytes = program(1000).toBytes().length;
        ProgramCache cache = cache(4L * fileBytes + 10);
        for (String key : List.of("a", "b", "c", "d")) {
            cache.keep(key, program(1000));
        }
        for (String key : List.of("b", "d", "a", "c")) { // of which the last was used now
            Files.setLastModifiedTime(temporary.resolve("some/folder").resolve(key + ".program"),
                    FileTime.from(NOW.minus(Duration.ofDays(1)).plusSeconds(key.charAt(0))));
        }
        assertThat(cache.find("a")).isPresent(); // is used again
        Files.writeString(temporary.resolve("some/folder/mine.txt"), "0".repeat(10 * fileBytes)); // of somebody else
        Files.writeString(temporary.resolve("some/folder/x.unfinished"), "a process that was killed");
        Files.setLastModifiedTime(temporary.resolve("some/folder/x.unfinished"),
                FileTime.from(NOW.minus(Duration.ofHours(2))));
        Path folder = Files.createDirectory(temporary.resolve("some/folder/0.program")); // of nobody's making
        Files.writeString(folder.resolve("mine.txt"), "");
        Files.setLastModifiedTime(folder, FileTime.from(NOW.minus(Duration.ofDays(2))));
        cache.keep("e", program(1000));
        assertThat(names()).containsExactly("0.program", "a.program", "c.program", "d.program", "e.program", "mine.txt");
        cache.keep("large", program(2000)); // more than a quarter
        assertThat(cache.find("large")).isEmpty();
    }

    @Test
    void aFolderThatCannotBeHadIsNoError() throws Exception {
        Path file = Files.writeString(temporary.resolve("file"), "");
        for (Path folder : List.of(file, file.resolve("below"), Path.of("/proc/no/such/folder"))) {
            ProgramCache cache = ProgramCache.in(folder);
            cache.keep("a", program(10));
            assertThat(cache.find("a")).isEmpty();
        }
        ProgramCache.NONE.keep("a", program(10));
        assertThat(ProgramCache.NONE.find("a")).isEmpty();
    }

    @Test
    void whatOthersMayWriteToIsNotTrusted() throws Exception {
        ProgramCache cache = cache(1 << 20);
        cache.keep("a", program(10));
        Files.setPosixFilePermissions(temporary.resolve("some/folder"), PosixFilePermissions.fromString("rwxrwx---"));
        assertThat(cache.find("a")).isEmpty();
        cache.keep("b", program(10));
        assertThat(names()).containsExactly("a.program");
        Files.setPosixFilePermissions(temporary.resolve("some/folder"), PosixFilePermissions.fromString("rwxr-xr-x"));
        assertThat(cache.find("a")).isPresent();
    }

    @Test
    void whatAnotherUserOwnsIsNotTrusted() throws Exception {
        assumeTrue(Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0), "only the superuser can give a folder away");
        ProgramCache cache = cache(1 << 20);
        cache.keep("a", program(10));
        assertThat(cache.find("a")).isPresent();
        Files.setAttribute(temporary.resolve("some/folder"), "unix:uid", 65_534);
        assertThat(cache.find("a")).isEmpty();
        cache.keep("b", program(10));
        assertThat(names()).containsExactly("a.program");
    }

    @Test
    void theStandardFolder() {
        assertThat(ProgramCache.standardFolder("/var/cache/me", "/home/me")).hasValue(Path.of("/var/cache/me/hmm4j"));
        assertThat(ProgramCache.standardFolder("relative", "/home/me")).hasValue(Path.of("/home/me/.cache/hmm4j"));
        assertThat(ProgramCache.standardFolder(null, "/home/me")).hasValue(Path.of("/home/me/.cache/hmm4j"));
        assertThat(ProgramCache.standardFolder(null, "?")).isEmpty();
        assertThat(ProgramCache.standardFolder("", null)).isEmpty();
        String unspeakable = "/home/\0"; // as is every letter beyond ASCII with LC_ALL=C
        assertThat(ProgramCache.standardFolder(unspeakable, "/home/me")).hasValue(Path.of("/home/me/.cache/hmm4j"));
        assertThat(ProgramCache.standardFolder(null, unspeakable)).isEmpty();
    }

    @Test
    void theCommandLineGoesBeforeTheStandard() {
        assertThat(ProgramCache.STANDARD.on("Portable Computing Language").isOn()).isFalse();
        System.setProperty("hmm.programCache", temporary.toString());
        try {
            assertThat(ProgramCache.STANDARD.on("Portable Computing Language"))
                    .hasToString("ProgramCache[" + temporary + "]");
            assertThat(ProgramCache.NONE.on("any").isOn()).isFalse();
            System.setProperty("hmm.programCache", "off");
            assertThat(ProgramCache.STANDARD.on("any").isOn()).isFalse();
            assertThat(ProgramCache.in(temporary).on("any").isOn()).isTrue();
        } finally {
            System.clearProperty("hmm.programCache");
        }
    }

    @Test
    void onlyProgramsThatStayTheSameAreKept() {
        assertThat(ProgramKey.isLasting(Source.resource("paged.cl"), "-cl-std=CL1.2 -I /x -DN=1")).isTrue();
        assertThat(ProgramKey.isLasting(Source.text("k.cl", "#include \"elsewhere.h\"\n"), "-I /x")).isFalse();
        assertThat(ProgramKey.isLasting(Source.text("k.cl", "constant char built[] = __DATE__;\n"), "")).isFalse();
        assertThat(ProgramKey.isLasting(Source.text("k.cl", "int x;\n"), "-DX  -include other.h")).isFalse();
    }
}
