package io.github.hmm4j.model;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a block says of words that nobody has written, as `src/test/spin/block-words.pml` says it, is never wrong; and each mutant of it is.
@Timeout(20 * 60)
@Tag("exhaustive")
class BlockWordsModelTest {

    private static final Spin MODEL = new Spin("block-words.pml");

    @BeforeAll
    static void needsSpin() throws IOException, InterruptedException {
        Spin.require();
    }

    @Test
    void holdsForOneWhoTouchesAndOneWhoLooks() throws Exception {
        MODEL.assertHolds(MODEL.search("block-words", List.of("-DCHANGES=4")), List.of("Looker"));
    }

    @Test
    void holdsForTwoWhoTouch() throws Exception {
        MODEL.assertHolds(MODEL.search("block-words-two", List.of("-DTOUCHERS=2", "-DLOOKERS=0")), List.of("Toucher"));
    }

    /// @param violated what the model asserts there, as Spin writes it
    @ParameterizedTest
    @CsvSource({
        "LOOK_ONCE, (((w==1)||(w==3))==gone[p])",
        "SAY_SO_FIRST, (((w==1)||(w==3))==gone[p])",
        "DO_NOT_WRITE_OUT, ' !(mapped[p])'",
        "SET_IN_TWO_STEPS, ( !(gone[p])&& !(fixed[p]))",
        "SET_WHILE_IN_WRITING, (((w==1)||(w==3))==gone[p])",
    })
    void refutes(String mutant, String violated) throws Exception {
        MODEL.assertRefutes("block-words", mutant, "assertion violated " + violated);
    }
}
