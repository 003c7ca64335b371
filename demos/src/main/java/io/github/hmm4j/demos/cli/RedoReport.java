package io.github.hmm4j.demos.cli;

import io.github.hmm4j.demos.harness.UsageException;
import io.github.hmm4j.demos.svm.report.ResultsFile;
import io.github.hmm4j.demos.svm.report.SvmReport;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Parameters;

/// `hmm bench report`: the report of kept results once more, as this version writes it; measures nothing.
final class RedoReport implements Callable<Integer> {
    static final String NAME = "report";
    static final String DESCRIPTION = "Write the report of kept results of svm anew; measures nothing.";

    @Parameters(paramLabel = "DIR", description = "Folder with the results.json of hmm bench svm; the other files in it are written anew.")
    private Path folder = Path.of("");

    private final PrintWriter out;

    RedoReport(PrintWriter out) {
        this.out = out;
    }

    @Override
    public Integer call() throws Exception {
        Path file = folder.resolve(SvmReport.JSON);
        if (!Files.isRegularFile(file)) {
            throw new UsageException("there are no results of hmm bench svm: " + file);
        }
        SvmReport report = new SvmReport(ResultsFile.read(file));
        report.redoIn(folder);
        out.print(report.terminal());
        out.println("Report: " + folder.resolve(SvmReport.HTML));
        out.flush();
        return ExitCode.OK;
    }
}
