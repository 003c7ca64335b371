package io.github.hmm4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.junit.platform.engine.DiscoverySelector;

/// A run of classes that exist for this test only.
@Tag("source-tree")
class ConformanceRunTest {

    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

    @Test
    void whatPassesIsCounted() {
        assertThat(run(Good.class)).isZero();
        assertThat(text()).contains("Good", "conformance: ok: 3 passed, 0 failed, 1 skipped");
    }

    @Test
    void aFailureIsShownAndIsTheExitStatus() {
        assertThat(run(Good.class, Bad.class)).isEqualTo(1);
        assertThat(text()).contains("FAILED: ConformanceRunTest$Bad isWrong()", "two and two", "conformance: FAILED: 3 passed, 1 failed, 1 skipped");
    }

    @Test
    void nothingIsNoSuccess() {
        assertThat(run(OfTheSourceTree.class)).isEqualTo(1);
        assertThat(text()).contains("conformance: NOTHING RAN: 0 passed");
    }

    private int run(Class<?>... classes) {
        List<DiscoverySelector> selectors = new ArrayList<>();
        for (Class<?> one : classes) {
            selectors.add(selectClass(one));
        }
        return ConformanceRun.run(selectors, ".*", new PrintStream(printed, true, StandardCharsets.UTF_8));
    }

    private String text() {
        return printed.toString(StandardCharsets.UTF_8);
    }

    static class Good {

        @ParameterizedTest
        @ValueSource(ints = {1, 2})
        void isRight(int number) {
            assertThat(number).isPositive();
        }

        @Test
        void isRightToo() {}

        @Test
        void isNotForThisMachine() {
            abort("not here");
        }

        @Test
        @Tag("two-devices")
        void wantsTwoDevices() {
            throw new AssertionError("must not run");
        }

        @Test
        @Tag("emulated-gpu")
        void wantsAnEmulatedGpuOfItsOwn() {
            throw new AssertionError("must not run");
        }
    }

    static class Bad {

        @Test
        void isWrong() {
            assertThat(2 + 2).as("two and two").isEqualTo(5);
        }
    }

    @Tag("source-tree")
    static class OfTheSourceTree {

        @Test
        void looksAtSources() {}
    }
}
