package io.github.hmm4j.demos.cli;

import io.github.hmm4j.demos.harness.Demo;
import io.github.hmm4j.demos.harness.DemoResult;
import io.github.hmm4j.demos.harness.RunContext;
import io.github.hmm4j.demos.harness.TwinResult;
import io.github.hmm4j.demos.harness.UsageException;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.demos.report.Table;
import io.github.hmm4j.demos.report.Units;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Runs some demos, one after the other, and ends with one table; a demo that fails does not stop the others.
final class RunDemos implements Callable<Integer> {
    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Mixin
    private JsonOption json = new JsonOption();

    @Mixin
    private TraceOption trace = new TraceOption();

    @Option(names = "--device-faults", description = "Kernels bring their pages themselves, in the midst of their loads and stores (HmmBuilder.deviceFaults): on a device that is the host's"
        + " processors. A small --budget is then enough for any kernel.")
    private boolean deviceFaults;

    private final List<Demo> demos;
    private final PrintWriter out;
    private final PrintWriter err;

    RunDemos(List<Demo> demos, PrintWriter out, PrintWriter err) {
        this.demos = demos;
        this.out = out;
        this.err = err;
    }

    @Override
    public Integer call() throws Exception {
        json.check();
        List<DemoResult> results = new ArrayList<>();
        try (TraceOption.Opened traced = trace.open(out)) {
            RunContext context = new RunContext(traced.into(device.choice().withDeviceFaults(deviceFaults)), out, Progress.of(err));
            for (Demo demo : demos) {
                context.progress().step(demo.name());
                results.add(run(demo, context));
                context.progress().clear();
                out.flush();
            }
            // before the trace is ended, which may fail
            out.print(table(results));
            out.flush();
            json.write(results.stream().map(DemoResult::toJson).toList());
        }
        return results.stream().allMatch(DemoResult::ok) ? ExitCode.OK : ExitCode.SOFTWARE;
    }

    private DemoResult run(Demo demo, RunContext context) throws UsageException {
        try {
            return demo.run(context);
        } catch (UsageException e) {
            throw e;
        } catch (Exception e) {
            context.progress().clear();
            Failures.print(e, err);
            return DemoResult.failed(demo.name(), context.device(), Failures.describe(e));
        }
    }

    private static Table table(List<DemoResult> results) {
        Table table = new Table("demo", "program", "result", "time", "to device", "to host", "views", "faults", "lines");
        for (DemoResult result : results) {
            if (result.explicit().isEmpty() && result.managed().isEmpty()) {
                table.row(result.name(), "-", verdict(result), "-", "-", "-", "-", "-", "-");
            }
            addRow(table, result, "explicit", result.explicit());
            addRow(table, result, "managed", result.managed());
        }
        return table;
    }

    private static void addRow(Table table, DemoResult result, String program, Optional<TwinResult> twin) {
        twin.ifPresent(took -> table.row(result.name(), program, verdict(result), Units.nanos(took.nanos()),
            Units.bytes(took.bytesToDevice()), Units.bytes(took.bytesToHost()), took.views(), took.faults(), took.linesOfCode()));
    }

    private static String verdict(DemoResult result) {
        return result.ok() ? "ok" : "FAILED";
    }
}
