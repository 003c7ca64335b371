package io.github.hmm4j.demos.gather;

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

class GatherDemoTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        DemoRunner.LWJGL + ",2000", DemoRunner.LWJGL + ",5001", DemoRunner.JOCL + ",3000"
    })
    void gathersRight(String variant, String rows) {
        Outcome outcome = DemoRunner.run(new GatherDemo(), variant, folder, "--table-rows", rows);

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
        assertThat(outcome.json()).contains("\"ok\": true", "\"tableBytes\": " + Integer.parseInt(rows) * 4096L);
        assertThat(outcome.out()).contains("every element right", "What the heap moved");
    }

    @Test
    void gathersOneRowOfOne() {
        Outcome outcome = DemoRunner.run(new GatherDemo(), DemoRunner.LWJGL, folder, "--table-rows", "1", "--budget", "1M");

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
    }

    /// Of the table only the pages that hold chosen rows, whatever its size.
    @Test
    void movesWhatIsAskedFor() {
        Outcome outcome = DemoRunner.run(new GatherDemo(), DemoRunner.LWJGL, folder, "--table-rows", "4000");

        long managed = number(outcome.json().substring(outcome.json().indexOf("\"managed\"")), "bytesToDevice");
        long explicit = number(outcome.json().substring(outcome.json().indexOf("\"explicit\"")), "bytesToDevice");
        assertThat(managed).isBetween(number(outcome.json(), "leastBytesToDevice"), number(outcome.json(), "leastBytesToDevice") + 4096);
        assertThat(explicit).isGreaterThan(10 * managed);
        assertThat(outcome.out()).contains("DEVICE_FAULT");
    }

    private static long number(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\": (\\d+)").matcher(json);
        assertThat(found.find()).as("%s in %s", name, json).isTrue();
        return Long.parseLong(found.group(1));
    }

    @Test
    void takesABudgetWithRoomForAll() {
        Outcome outcome = DemoRunner.run(new GatherDemo(), DemoRunner.LWJGL, folder, "--table-rows", "1000", "--budget", "64M");

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
        assertThat(outcome.json()).contains("\"budgetBytes\": 67108864");
    }

    @Test
    void findsOutAWrongKernel() {
        GatherDemo wrong = new GatherDemo(WrongKernel.with("out[r * width + done + i] = in[i]", "out[r * width + done + i] = r == 1 && done + i == 3 ? -1 : in[i]"));
        Outcome outcome = DemoRunner.run(wrong, DemoRunner.LWJGL, folder, "--table-rows", "200");

        assertThat(outcome.exitCode()).isEqualTo(1);
        assertThat(outcome.json()).contains("\"ok\": false", "managed program, row=");
        assertThat(outcome.out()).contains("WRONG").doesNotContain("every element right");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "262145", "many"})
    void refusesOtherSizes(String rows) {
        Outcome outcome = DemoRunner.run(new GatherDemo(), DemoRunner.LWJGL, folder, "--table-rows", rows);

        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.err()).contains("--table-rows").contains(rows);
    }
}
