package io.github.hmm4j.model;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Touches that sleep are woken, as `src/test/spin/waking.pml` says it, although their messages may be dropped; its mutants leave one asleep.
@Timeout(20 * 60)
@Tag("exhaustive")
class WakingModelTest {

    private static final Spin MODEL = new Spin("waking.pml");

    @BeforeAll
    static void needsSpin() throws IOException, InterruptedException {
        Spin.require();
    }

    @Test
    void holds() throws Exception {
        MODEL.assertHolds(MODEL.search("waking", List.of()), List.of("Toucher", "Crew", "Claimer"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"WAKE_BEFORE_SETTLING", "CLAIMER_WAKES_NOBODY", "LOOK_BEFORE_READING"})
    void refutes(String mutant) throws Exception {
        MODEL.assertRefutes("waking", mutant, "invalid end state");
    }
}
