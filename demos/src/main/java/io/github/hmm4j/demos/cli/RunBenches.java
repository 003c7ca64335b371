package io.github.hmm4j.demos.cli;

import io.github.hmm4j.demos.harness.Bench;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.RunContext;
import io.github.hmm4j.demos.harness.UsageException;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.demos.report.Table;
import io.github.hmm4j.demos.report.Units;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;

/// Runs some benchmarks, one after the other, and ends with one table; one that fails does not stop the others.
final class RunBenches implements Callable<Integer> {
    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Mixin
    private JsonOption json = new JsonOption();

    @Mixin
    private TraceOption trace = new TraceOption();

    private final List<Bench> benches;
    private final PrintWriter out;
    private final PrintWriter err;

    RunBenches(List<Bench> benches, PrintWriter out, PrintWriter err) {
        this.benches = benches;
        this.out = out;
        this.err = err;
    }

    @Override
    public Integer call() throws Exception {
        json.check();
        List<BenchRow> rows = new ArrayList<>();
        boolean allRan = true;
        try (TraceOption.Opened traced = trace.open(out)) {
            RunContext context = new RunContext(traced.into(device.choice()), out, Progress.of(err));
            for (Bench bench : benches) {
                context.progress().step(bench.name());
                try {
                    rows.addAll(bench.run(context));
                } catch (UsageException e) {
                    throw e;
                } catch (Exception e) {
                    context.progress().clear();
                    Failures.print(e, err);
                    allRan = false;
                }
                context.progress().clear();
            }
            // before the trace is ended, which may fail
            out.print(table(rows));
            out.flush();
            json.write(rows);
        }
        return allRan ? ExitCode.OK : ExitCode.SOFTWARE;
    }

    private static Table table(List<BenchRow> rows) {
        Table table = new Table("name", "value", "unit", "ratio", "p10", "p90", "runs", "target", "met", "device", "binding",
            "baseline");
        for (BenchRow row : rows) {
            table.row(row.name(), Units.decimal(row.value()), row.unit(), row.ratio().map(Units::decimal).orElse("-"),
                row.spread().map(spread -> Units.decimal(spread.p10())).orElse("-"),
                row.spread().map(spread -> Units.decimal(spread.p90())).orElse("-"),
                row.spread().map(spread -> Integer.toString(spread.runs())).orElse("-"),
                row.target().map(BenchRow.Target::bound).orElse("-"),
                row.target().map(target -> target.met() ? "yes" : "no").orElse("-"), row.device(), row.binding(),
                row.baseline());
        }
        return table;
    }
}
