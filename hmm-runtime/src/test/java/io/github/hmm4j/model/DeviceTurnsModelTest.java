package io.github.hmm4j.model;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Threads of two faulting devices that take pages from each other all get through, as `src/test/spin/device-turns.pml` says it; in its mutants they do not.
@Timeout(20 * 60)
@Tag("exhaustive")
class DeviceTurnsModelTest {

    private static final Spin MODEL = new Spin("device-turns.pml");

    @BeforeAll
    static void needsSpin() throws IOException, InterruptedException {
        Spin.require();
    }

    @Test
    void holds() throws Exception {
        MODEL.assertHolds(MODEL.search("device-turns", List.of()), List.of("Thread", "Host"));
    }

    @ParameterizedTest
    @CsvSource({"KEEP_NOTHING, assertion violated", "KEEP_FROM_ALL, invalid end state", "KEEP_FROM_OLDER, assertion violated", "YOUNGER_WITH_EACH_FAULT, assertion violated"})
    void refutes(String mutant, String how) throws Exception {
        MODEL.assertRefutes("device-turns", mutant, how);
    }
}
