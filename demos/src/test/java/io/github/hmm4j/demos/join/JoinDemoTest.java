package io.github.hmm4j.demos.join;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.demos.DemoRunner;
import io.github.hmm4j.demos.DemoRunner.Outcome;
import io.github.hmm4j.demos.device.WrongKernel;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JoinDemoTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        DemoRunner.LWJGL + ",1", DemoRunner.LWJGL + ",300001", DemoRunner.JOCL + ",1000000"
    })
    void joinsRight(String variant, String orders) {
        Outcome outcome = DemoRunner.run(new JoinDemo(), variant, folder, "--orders", orders);

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
        assertThat(outcome.json()).contains("\"ok\": true", "\"orders\": " + orders);
        assertThat(outcome.out()).contains("every sum right", "What the heap moved");
    }

    /// Each page of the large table once, whatever the budget.
    @Test
    void movesTheLargeTableOnce() {
        Outcome outcome = DemoRunner.run(new JoinDemo(), DemoRunner.LWJGL, folder, "--orders", "2000000", "--budget", "3M");

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
        long managed = number(outcome.json().substring(outcome.json().indexOf("\"managed\"")), "bytesToDevice");
        assertThat(managed).isBetween(number(outcome.json(), "leastBytesToDevice"), number(outcome.json(), "leastBytesToDevice") * 5 / 4);
        assertThat(outcome.out()).contains("DEVICE_FAULT");
    }

    private static long number(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\": (\\d+)").matcher(json);
        assertThat(found.find()).as("%s in %s", name, json).isTrue();
        return Long.parseLong(found.group(1));
    }

    @Test
    void findsOutAWrongKernel() {
        JoinDemo wrong = new JoinDemo(WrongKernel.with("sums[get_global_id(0)] = sum;\n    }\n    HMM_END", "sums[get_global_id(0)] = 12345678901;\n    }\n    HMM_END"));
        Outcome outcome = DemoRunner.run(wrong, DemoRunner.LWJGL, folder, "--orders", "20000");

        assertThat(outcome.exitCode()).isEqualTo(1);
        assertThat(outcome.json()).contains("\"ok\": false", "managed program, sum 0: found=12345678901");
        assertThat(outcome.out()).contains("WRONG").doesNotContain("every sum right");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "134217729", "many"})
    void refusesOtherSizes(String orders) {
        Outcome outcome = DemoRunner.run(new JoinDemo(), DemoRunner.LWJGL, folder, "--orders", orders);

        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.err()).contains("--orders").contains(orders);
    }
}
