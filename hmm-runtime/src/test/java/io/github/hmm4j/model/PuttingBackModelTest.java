package io.github.hmm4j.model;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Touches that were read with one that waits are served, once, as `src/test/spin/putting-back.pml` says it, whether they sleep in the kernel or in a signal handler.
@Timeout(20 * 60)
@Tag("exhaustive")
class PuttingBackModelTest {

    private static final Spin MODEL = new Spin("putting-back.pml");

    @BeforeAll
    static void needsSpin() throws IOException, InterruptedException {
        Spin.require();
    }

    @Test
    void holdsWhereTouchesSleep() throws Exception {
        MODEL.assertHolds(MODEL.search("putting-back", List.of()), List.of("Toucher", "Crew"));
    }

    @Test
    void holdsWhereTouchesAreRequests() throws Exception {
        MODEL.assertHolds(MODEL.search("putting-back-requests", List.of("-DREQUESTS")), List.of("Toucher", "Crew"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"FORGET_THE_REST", "WAIT_WITH_THE_REST", "KEEP_THE_LEAD", "PUT_BACK_UNLESS_MAPPED"})
    void refutesWhereTouchesSleep(String mutant) throws Exception {
        MODEL.assertRefutes("putting-back", mutant, "invalid end state");
    }

    @ParameterizedTest
    @CsvSource({
        "FORGET_THE_REST, invalid end state",
        "WAIT_WITH_THE_REST, invalid end state",
        "KEEP_THE_LEAD, invalid end state",
        "SERVE_WHAT_WAS_PUT_BACK, assertion violated",
        "PUT_BACK_WHAT_IS_SERVED, assertion violated"
    })
    void refutesWhereTouchesAreRequests(String mutant, String violation) throws Exception {
        MODEL.assertRefutes("putting-back-requests", mutant, violation, "-DREQUESTS");
    }
}
