package io.github.hmm4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class ReadmeTest {

    private static final Pattern KERNEL = Pattern.compile("(?m)^(?:kernel )?void (\\w+)\\(");

    @ParameterizedTest
    @MethodSource("io.github.hmm4j.kernels.KernelFiles#names")
    void theFileTableNamesEveryKernel(String file) throws Exception {
        String row = Files.readAllLines(Path.of(System.getProperty("basedir", ""), "README.md")).stream()
                .filter(line -> line.startsWith("| `" + file + "`"))
                .findFirst()
                .orElse("");
        assertThat(row).as("row of " + file).isNotEmpty();
        assertThat(KERNEL.matcher(Source.resource(file).text()).results().map(found -> found.group(1)))
                .isNotEmpty()
                .allSatisfy(kernel -> assertThat(row).contains("`" + kernel + "`"));
    }
}
