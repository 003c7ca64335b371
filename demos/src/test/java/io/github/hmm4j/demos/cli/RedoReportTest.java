package io.github.hmm4j.demos.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.demos.svm.Crafted;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.Workload;
import io.github.hmm4j.demos.svm.report.SvmReport;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RedoReportTest {
    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void writesEverythingButTheResultsAnew() throws IOException {
        new SvmReport(Crafted.results(List.of(Crafted.cell(Workload.STREAM, Strategy.COPIES_PAGEABLE, 4096, 1000),
            Crafted.cell(Workload.STREAM, Strategy.SVM_FINE, 4096, 500)))).writeTo(folder);
        String html = Files.readString(folder.resolve("report.html"));
        // As a later version would have written it.
        String json = Files.readString(folder.resolve("results.json")).replace("\"command\"", "\"later\": 1, \"command\"");
        Files.writeString(folder.resolve("results.json"), json);
        for (String name : List.of("report.html", "results.csv", "overview.svg")) {
            Files.delete(folder.resolve(name));
        }
        assertThat(run(folder.toString())).isZero();
        assertThat(folder.resolve("report.html")).hasContent(html);
        assertThat(folder.resolve("results.json")).hasContent(json);
        assertThat(folder.resolve("results.csv")).isNotEmptyFile();
        assertThat(folder.resolve("overview.svg")).isNotEmptyFile();
        assertThat(out.toString()).contains("fine-grained SVM buffer is fastest (2.0 times as fast as explicit copies)");
    }

    @Test
    void aFolderWithoutResultsIsAMistake() {
        assertThat(run(folder.resolve("nowhere").toString())).isEqualTo(2);
        assertThat(err.toString()).contains("there are no results of hmm bench svm: ").contains("nowhere");
    }

    @Test
    void aFileThatIsNoResultsIsAFailure() throws IOException {
        Files.writeString(folder.resolve("results.json"), "[1]");
        assertThat(run(folder.toString())).isEqualTo(1);
        assertThat(err.toString()).contains("not the results of `hmm bench svm`").doesNotContain("at io.github");
    }

    @ParameterizedTest
    @CsvSource({"4096, 0, a cell without a size", "svm.fine, copies.pageable, two cells for", "figures, sketches, without figures"})
    void cellsThatCannotBeAreAFailure(String right, String wrong, String message) throws IOException {
        new SvmReport(Crafted.results(List.of(Crafted.cell(Workload.STREAM, Strategy.COPIES_PAGEABLE, 4096, 1000),
            Crafted.cell(Workload.STREAM, Strategy.SVM_FINE, 4096, 500)))).writeTo(folder);
        Path file = folder.resolve("results.json");
        Files.writeString(file, Files.readString(file).replace(right, wrong));
        assertThat(run(folder.toString())).isEqualTo(1);
        assertThat(err.toString()).contains("not the results of `hmm bench svm`").contains(message).doesNotContain("at io.github");
    }

    private int run(String argument) {
        Catalog nothing = new Catalog(List.of(), List.of(), (binding, device) -> List.of());
        return new HmmCommandLine(nothing, new PrintWriter(out), new PrintWriter(err)).run("bench", "report", argument);
    }
}
