package io.github.hmm4j.demos.svm.report;

import io.github.hmm4j.demos.svm.SvmResults;
import io.github.hmm4j.demos.svm.verdict.Grid;
import io.github.hmm4j.demos.svm.verdict.Overall;
import io.github.hmm4j.demos.svm.verdict.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Everything that is made out of one run of `hmm bench svm`.
public final class SvmReport {
    public static final String JSON = "results.json";
    public static final String CSV = "results.csv";
    public static final String HTML = "report.html";
    public static final String PICTURE = "overview.svg";

    private final SvmResults results;
    private final Grid grid;
    private final List<Verdict> verdicts;
    private final Overall overall;

    /// @throws IllegalArgumentException if two cells are for the same workload, strategy and size
    public SvmReport(SvmResults results) {
        this.results = results;
        this.grid = new Grid(results.cells());
        this.verdicts = grid.workloads().stream().map(workload -> Verdict.of(grid, workload)).toList();
        this.overall = Overall.of(results, verdicts);
    }

    /// By workload, in the order of the cells.
    public List<Verdict> verdicts() {
        return verdicts;
    }

    public Overall overall() {
        return overall;
    }

    /// Tables and verdicts as plain text, lines ended by a line feed.
    public String terminal() {
        return new TextReport(results, grid).of(overall, verdicts);
    }

    /// Writes `results.json`, `results.csv`, `report.html` and `overview.svg`; makes the folder if there is none.
    ///
    /// @throws IOException if one of them cannot be written; the others may have been
    public void writeTo(Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve(JSON), ResultsFile.json(results, overall, verdicts));
        redoIn(folder);
    }

    /// Writes all but `results.json`, from which these results were read.
    ///
    /// @throws IOException if one of them cannot be written; the others may have been
    public void redoIn(Path folder) throws IOException {
        Files.writeString(folder.resolve(CSV), Csv.of(results.cells()));
        Files.writeString(folder.resolve(HTML), new Page(results, grid, verdicts, overall).html());
        Files.writeString(folder.resolve(PICTURE), new Overview(grid, verdicts, Overview.Shape.WIDE).picture(results));
    }
}
