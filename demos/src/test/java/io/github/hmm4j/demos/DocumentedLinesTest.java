package io.github.hmm4j.demos;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.demos.harness.Demo;
import io.github.hmm4j.demos.harness.LinesOfCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// What documents show of a run is as old as the run, but for the lines of a program: those are compared by readers.
class DocumentedLinesTest {
    private static final Pattern ROW = Pattern.compile("^(?:([a-z-]+) +)?(explicit|managed) +.* (\\d+)$", Pattern.MULTILINE);

    @Test
    void areThoseOfTheProgram() throws IOException {
        List<String> wrong = new ArrayList<>();
        int rows = 0;
        for (Path document : documents()) {
            for (MatchResult row : ROW.matcher(Files.readString(document)).results().toList()) {
                String demo = row.group(1) == null ? document.getFileName().toString().replace(".md", "") : row.group(1);
                List<Integer> counted = linesOf(demo, row.group(2));
                if (!counted.contains(Integer.valueOf(row.group(3)))) {
                    wrong.add(document + ": " + demo + " " + row.group(2) + " " + row.group(3) + ", must be one of " + counted);
                }
                rows++;
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(rows).as("rows that were found").isGreaterThan(30);
    }

    private static List<Path> documents() throws IOException {
        try (Stream<Path> docs = Files.list(Path.of("docs"))) {
            return Stream.concat(Stream.of(Path.of("..", "README.md")), docs.filter(each -> each.toString().endsWith(".md"))).sorted().toList();
        }
    }

    /// A demo may have two programs of a kind, one for data that the device cannot hold.
    private static List<Integer> linesOf(String name, String kind) throws IOException {
        Class<?> demo = HmmCommand.demos().stream()
            .filter(each -> each.name().equals(name)).findFirst().orElseThrow(() -> new AssertionError("no demo is called " + name)).getClass();
        Path sources = Path.of("src", "main", "java").resolve(demo.getPackageName().replace('.', '/'));
        String ending = kind.substring(0, 1).toUpperCase(Locale.ROOT) + kind.substring(1) + ".java";
        try (Stream<Path> programs = Files.list(sources)) {
            return programs.filter(each -> each.toString().endsWith(ending)).map(each -> LinesOfCode.of(classOf(demo, each))).toList();
        }
    }

    private static Class<?> classOf(Class<?> demo, Path source) {
        try {
            return Class.forName(demo.getPackageName() + "." + source.getFileName().toString().replace(".java", ""));
        } catch (ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }
}
