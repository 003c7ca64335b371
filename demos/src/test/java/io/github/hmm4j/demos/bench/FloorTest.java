package io.github.hmm4j.demos.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.demos.bench.Floor.Fault;
import io.github.hmm4j.pager.HostAccess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The C program checks its own bytes and counts its faults; here it is built, and asked.
class FloorTest {
    static final Path SOURCE = Path.of("../hmm-runtime/src/test/c/floor/floor.c").toAbsolutePath().normalize();

    @TempDir
    private Path target;

    @AfterEach
    void forgetProperties() {
        setProperties("", "");
        System.clearProperty(Floor.PROGRAM_PROPERTY);
    }

    @ParameterizedTest
    @EnumSource(names = {"UFFD", "SIGSEGV"})
    void oneLatencyForEachFault(HostAccess.Mode rung) throws Exception {
        try (Floor floor = start(rung)) {
            for (Fault fault : rung == HostAccess.Mode.UFFD ? List.of(Fault.values()) : List.of(Fault.READ, Fault.UPGRADE)) {
                for (long pageBytes : new long[] {ByteSize.kib(4), ByteSize.kib(64), ByteSize.mib(2)}) {
                    long[] nanos = floor.nanos(fault, pageBytes, 11); // more than the two pages of 2 MiB
                    assertThat(nanos).hasSize(11);
                    assertThat(Arrays.stream(nanos)).allMatch(value -> value > 0);
                }
            }
        }
    }

    @Test
    void aRequestThatItCannotServeEndsItWithItsReason() throws Exception {
        try (Floor floor = start(HostAccess.Mode.SIGSEGV)) {
            assertThatThrownBy(() -> floor.nanos(Fault.READ, 5000, 1)).isInstanceOf(IOException.class)
                .hasMessageContaining("PAGE_BYTES is not a power of two: 5000");
        }
        try (Floor floor = start(HostAccess.Mode.SIGSEGV)) {
            assertThatThrownBy(() -> floor.nanos(Fault.DEVICE, 4096, 1)).isInstanceOf(IOException.class).hasMessageContaining("not a kind of fault here: device");
        }
    }

    @Test
    void aMissingSourceIsSaid() throws Exception {
        setProperties(target.resolve("none.c").toString(), "cc");
        assertNoFloor("source=" + target.resolve("none.c") + " is missing");
    }

    @Test
    void aMissingCompilerIsSaid() throws Exception {
        setProperties(SOURCE.toString(), target.resolve("no-cc").toString());
        assertNoFloor("no-cc");
    }

    @Test
    void aMissingPropertyIsSaid() throws Exception {
        setProperties("", "cc");
        assertNoFloor("system property hmm.floor is not set");
    }

    @Test
    void whatTheCompilerRefusesIsSaidInItsWords() throws Exception {
        Path wrong = Files.writeString(target.resolve("wrong.c"), "int main(void) { return nothing; }\n");
        setProperties(wrong.toString(), "cc");
        assertNoFloor("nothing");
        assertThat(target.resolve("floor")).doesNotExist();
    }

    @Test
    void fromThePropertiesItIsThere() throws Exception {
        setProperties(SOURCE.toString(), "cc");
        try (Floor.Beside beside = Floor.beside(HostAccess.Mode.SIGSEGV, ByteSize.mib(4))) {
            assertThat(beside.floor()).isPresent();
        }
    }

    @Test
    void oneThatWasBuiltBeforehandNeedsNoCompiler() throws Exception {
        Path program = Floor.build(SOURCE, "cc", target);
        setProperties("", target.resolve("no-cc").toString());
        System.setProperty(Floor.PROGRAM_PROPERTY, program.toString());
        try (Floor.Beside beside = Floor.beside(HostAccess.Mode.SIGSEGV, ByteSize.mib(4))) {
            assertThat(beside.floor()).isPresent();
        }
    }

    private void assertNoFloor(String reason) throws InterruptedException {
        try (Floor.Beside beside = Floor.beside(HostAccess.Mode.SIGSEGV, ByteSize.mib(4))) {
            assertThat(beside.floor()).isEmpty();
            assertThat(beside.words()).startsWith("no floor: ").contains(reason);
        }
    }

    private Floor start(HostAccess.Mode rung) throws Exception {
        Path program = Floor.build(SOURCE, "cc", target);
        try {
            return Floor.start(program, rung, ByteSize.mib(4));
        } catch (IOException e) {
            if (String.valueOf(e.getMessage()).contains("userfaultfd failed")) {
                return abort("this machine gives no userfaultfd: " + e.getMessage());
            }
            throw e;
        }
    }

    private void setProperties(String source, String compiler) {
        System.setProperty(Floor.SOURCE_PROPERTY, source);
        System.setProperty(Floor.COMPILER_PROPERTY, compiler);
        System.setProperty(Floor.TARGET_PROPERTY, target.toString());
    }
}
