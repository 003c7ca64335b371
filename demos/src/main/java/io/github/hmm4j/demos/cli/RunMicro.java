package io.github.hmm4j.demos.cli;

import io.github.hmm4j.demos.micro.MicroBenches;
import io.github.hmm4j.demos.micro.MicroRow;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.demos.report.Table;
import io.github.hmm4j.demos.report.Units;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `hmm bench micro`: one that fails does not stop the others.
final class RunMicro implements Callable<Integer> {
    static final String NAME = "micro";
    static final String DESCRIPTION = "What single steps of the hot paths cost, measured by JMH (not part of `all`).";

    @Parameters(paramLabel = "PATTERN", arity = "0..1", defaultValue = "",
        description = "Run only those whose names this regular expression is found in, such as Words or Launches.resident.")
    private String pattern = "";

    @Option(names = "--quick", description = "One process and short iterations: rough figures in a minute.")
    private boolean quick;

    @Mixin
    private JsonOption json = new JsonOption();

    private final PrintWriter out;
    private final PrintWriter err;

    RunMicro(PrintWriter out, PrintWriter err) {
        this.out = out;
        this.err = err;
    }

    @Override
    public Integer call() throws Exception {
        json.check();
        List<String> names = MicroBenches.matching(pattern);
        Path logs = Path.of(System.getProperty("hmm.target", "target"), NAME);
        Progress progress = Progress.of(err);
        List<MicroRow> rows = new ArrayList<>();
        for (String name : names) {
            progress.step(name);
            try {
                rows.add(MicroBenches.run(name, quick ? MicroBenches.Effort.QUICK : MicroBenches.Effort.FULL, logs));
                progress.clear();
            } catch (IOException e) {
                progress.clear();
                Failures.print(e, err);
            }
        }
        out.print(table(rows));
        out.flush();
        json.write(rows);
        return rows.size() == names.size() ? ExitCode.OK : ExitCode.SOFTWARE;
    }

    private static Table table(List<MicroRow> rows) {
        Table table = new Table("name", "ns/op", "error", "least", "measurements", "what one operation is");
        for (MicroRow row : rows) {
            table.row(row.name(), Units.decimal(row.nanos()), Units.decimal(row.errorNanos()),
                Units.decimal(row.leastNanos()), Long.toString(row.measurements()), row.measures());
        }
        return table;
    }
}
