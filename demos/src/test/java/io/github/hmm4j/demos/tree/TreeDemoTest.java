package io.github.hmm4j.demos.tree;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.demos.DemoRunner;
import io.github.hmm4j.demos.DemoRunner.Outcome;
import io.github.hmm4j.demos.device.WrongKernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TreeDemoTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {DemoRunner.LWJGL, DemoRunner.JOCL})
    void findsTheWordsOfAText(String variant) throws IOException {
        String text = IntStream.range(0, 3000).mapToObj(i -> "wörd" + i * 7).collect(Collectors.joining(" "));
        Outcome outcome = DemoRunner.run(new TreeDemo(), variant, folder, "--text", file(text), "--lookups", "5000");

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
        assertThat(outcome.json()).contains("\"ok\": true", "\"words\": 3000", "\"lookups\": 5000");
        assertThat(outcome.out()).contains("every answer right", "Java then found 'wörd20993' (2999)",
            "that copied 0 B home");
    }

    @Test
    void findsOneWordInATreeOfOne() throws IOException {
        Outcome outcome = DemoRunner.run(new TreeDemo(), DemoRunner.LWJGL, folder, "--text", file("alone"), "--lookups", "1");

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
    }

    @Test
    void takesTheClassesOfTheJdkWithoutAText() {
        Outcome outcome = DemoRunner.run(new TreeDemo(), DemoRunner.LWJGL, folder, "--lookups", "100");

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
        assertThat(outcome.out()).contains("class names of JDK");
    }

    @ParameterizedTest
    @ValueSource(strings = {DemoRunner.LWJGL, DemoRunner.JOCL})
    void findsItsWordsWhereTheDeviceCannotHoldTheHeap(String variant) throws IOException {
        String text = IntStream.range(0, 3000).mapToObj(i -> "wörd" + i * 7).collect(Collectors.joining(" "));
        Outcome outcome = DemoRunner.run(new TreeDemo(), variant, folder, "--text", file(text), "--lookups", "2000", "--budget", "1M", "--page-size", "4K");

        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
        assertThat(outcome.out()).contains("every answer right", "DEVICE_FAULT");
    }

    @Test
    void findsOutAWrongKernel() throws IOException {
        TreeDemo wrong = new TreeDemo(WrongKernel.with("answer = *value", "answer = TREE_ABSENT"));
        Outcome outcome = DemoRunner.run(wrong, DemoRunner.LWJGL, folder, "--text", file("a b c"), "--lookups", "50");

        assertThat(outcome.exitCode()).isEqualTo(1);
        assertThat(outcome.json()).contains("\"ok\": false", "managed program, look-up", "found=-1");
        assertThat(outcome.out()).contains("WRONG").doesNotContain("every answer right");
    }

    @Test
    void refusesATextThatIsNotThere() {
        Outcome outcome = DemoRunner.run(new TreeDemo(), DemoRunner.LWJGL, folder, "--text", "no/such.txt");

        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.err()).contains("--text", "no/such.txt");
    }

    @Test
    void failsOnATextWithoutWords() throws IOException {
        Outcome outcome = DemoRunner.run(new TreeDemo(), DemoRunner.LWJGL, folder, "--text", file("... !"));

        assertThat(outcome.exitCode()).isEqualTo(1);
        assertThat(outcome.err()).contains("words.txt").doesNotContain("\tat ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-5", "50000001"})
    void refusesOtherNumbersOfLookups(String lookups) {
        Outcome outcome = DemoRunner.run(new TreeDemo(), DemoRunner.LWJGL, folder, "--lookups", lookups);

        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.err()).contains("--lookups", lookups);
    }

    private String file(String text) throws IOException {
        return Files.writeString(folder.resolve("words.txt"), text).toString();
    }
}
