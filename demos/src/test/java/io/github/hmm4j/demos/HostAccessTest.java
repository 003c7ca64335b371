package io.github.hmm4j.demos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.github.hmm4j.demos.DemoRunner.Outcome;
import io.github.hmm4j.demos.harness.Demo;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Every demo is right on every way of host access: by faults where it is transparent, by views where it is checked.
class HostAccessTest {
    private static final String SETTING = "hmm.hostAccess";
    @TempDir
    private Path folder;

    static Stream<Arguments> demosOnTheBestWay() {
        return demosOn("uffd");
    }

    static Stream<Arguments> demosOnOtherWays() {
        return demosOn("sigsegv", "checked");
    }

    private static Stream<Arguments> demosOn(String... ways) {
        return HmmCommand.demos().stream().flatMap(demo -> Stream.of(ways)
            .map(access -> Arguments.argumentSet(demo.name() + " " + access, demo, access)));
    }

    @AfterEach
    void choosesFreelyAgain() {
        System.clearProperty(SETTING);
    }

    @ParameterizedTest
    @MethodSource("demosOnTheBestWay")
    void isRight(Demo demo, String access) throws IOException {
        check(demo, access);
    }

    @Tag("elsewhere")
    @ParameterizedTest
    @MethodSource("demosOnOtherWays")
    void isRightOnOtherWays(Demo demo, String access) throws IOException {
        check(demo, access);
    }

    private void check(Demo demo, String access) throws IOException {
        System.setProperty(SETTING, access);
        Outcome outcome = DemoRunner.run(demo, DemoRunner.LWJGL, folder, SmallInputs.of(demo, folder));
        assumeFalse(outcome.err().contains("cannot be had"), outcome.err());

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
        assertThat(outcome.json()).contains("\"ok\": true", "\"hostAccess\": \"" + access + "\"");
        String managed = outcome.json().substring(outcome.json().indexOf("\"managed\""));
        boolean checked = access.equals("checked");
        assertThat(managed).containsPattern(checked ? "\"views\": [1-9]" : "\"faults\": [1-9]");
        if (!checked && !demo.name().equals("unmodified")) { // which reads and writes files through views everywhere
            assertThat(managed).contains("\"views\": 0");
        }
    }
}
