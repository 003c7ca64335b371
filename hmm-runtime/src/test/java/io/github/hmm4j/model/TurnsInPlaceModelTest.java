package io.github.hmm4j.model;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Kernels of several devices that use pages in place take turns, as `src/test/spin/turns-in-place.pml` says it, and never wait for each other for ever; its mutants do.
@Timeout(20 * 60)
@Tag("exhaustive")
class TurnsInPlaceModelTest {

    private static final Spin MODEL = new Spin("turns-in-place.pml");

    @BeforeAll
    static void needsSpin() throws IOException, InterruptedException {
        Spin.require();
    }

    @Test
    void holds() throws Exception {
        MODEL.assertHolds(MODEL.search("turns-in-place", List.of()), List.of("Launch"));
    }

    @ParameterizedTest
    @CsvSource({"ORDER_BEFORE_PUBLISHING, assertion violated", "WAIT_FOR_ALL, invalid end state", "WAIT_FOR_INSISTING, invalid end state"})
    void refutes(String mutant, String how) throws Exception {
        MODEL.assertRefutes("turns-in-place", mutant, how);
    }
}
