package io.github.hmm4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// `docs/scenarios.md` is complete, and what it calls tested is.
@Tag("source-tree")
class ScenarioTableTest {

    private static final Pattern ROW = Pattern.compile("^\\| (\\d+) \\| `(\\w+)` \\| (\\S+) \\| (\\S+) \\| (.+) \\|$", Pattern.MULTILINE);
    private static final Set<String> TESTED = Set.of("same", "adapted");
    private static final Map<String, Class<?>> SUITES =
            Map.of("OneDeviceScenarios", OneDeviceScenarios.class, "TwoDeviceScenarios", TwoDeviceScenarios.class);

    private final List<MatchResult> rows;

    ScenarioTableTest() throws IOException {
        rows = ROW.matcher(Files.readString(Path.of("docs", "scenarios.md"))).results().toList();
    }

    @Test
    void listsEveryScenarioOfTheKernel() {
        assertThat(rows).extracting(row -> Integer.valueOf(row.group(1))).containsExactlyElementsOf(IntStream.rangeClosed(1, 39).boxed().toList());
        assertThat(rows).extracting(row -> row.group(3)).isSubsetOf("same", "adapted", "later", "n/a");
    }

    @Test
    void whatIsCalledTestedHasATestOfThatName() {
        for (MatchResult row : rows) {
            String where = row.group(4);
            if (TESTED.contains(row.group(3))) {
                assertThat(SUITES).as("where of row %s", row.group(1)).containsKey(where);
                assertThat(tests(SUITES.get(where))).as("tests of %s", where).contains(row.group(2));
            } else {
                assertThat(where).as("where of row %s", row.group(1)).isEqualTo("-");
                assertThat(SUITES.values().stream().flatMap(suite -> tests(suite).stream())).doesNotContain(row.group(2));
            }
        }
    }

    private static Set<String> tests(Class<?> suite) {
        return Stream.of(suite.getDeclaredMethods())
                .filter(method -> method.isAnnotationPresent(Test.class))
                .map(Method::getName)
                .collect(Collectors.toSet());
    }
}
