package io.github.hmm4j.model;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What is known of blocks of pages, as `src/test/spin/block-counts.pml` says it, is never wrong; and each mutant of it is.
@Timeout(20 * 60)
@Tag("exhaustive")
class BlockCountsModelTest {

    private static final Spin MODEL = new Spin("block-counts.pml");

    @BeforeAll
    static void needsSpin() throws IOException, InterruptedException {
        Spin.require();
    }

    @Test
    void holds() throws Exception {
        MODEL.assertHolds(MODEL.search("block-counts", List.of()), List.of("Changer", "Launcher"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"SAY_SO_AFTERWARDS", "SAY_SO_BEFORE"})
    void refutes(String mutant) throws Exception {
        MODEL.assertRefutes("block-counts", mutant, "assertion violated");
    }
}
