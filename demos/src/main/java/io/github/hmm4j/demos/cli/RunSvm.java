package io.github.hmm4j.demos.cli;

import io.github.hmm4j.demos.devices.DeviceList;
import io.github.hmm4j.demos.harness.DeviceChoice;
import io.github.hmm4j.demos.harness.DeviceReport;
import io.github.hmm4j.demos.harness.UsageException;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.demos.report.Units;
import io.github.hmm4j.demos.svm.Cell;
import io.github.hmm4j.demos.svm.SvmResults;
import io.github.hmm4j.demos.svm.measure.Machine;
import io.github.hmm4j.demos.svm.measure.Schedule;
import io.github.hmm4j.demos.svm.measure.SvmRun;
import io.github.hmm4j.demos.svm.report.SvmReport;
import io.github.hmm4j.error.NoDeviceException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/// `hmm bench svm`: measures, prints verdicts, and writes a report.
final class RunSvm implements Callable<Integer> {
    static final String NAME = "svm";
    static final String DESCRIPTION = "When does fine-grained SVM beat explicit copies, when does either beat paging, and by how much? Writes a report.";
    private static final long SMALLEST_BYTES = 4L << 10;
    private static final long LARGEST_UNLESS_ASKED_BYTES = 1L << 30;
    private static final long STEP = 8;
    private static final long QUICK_LARGEST_BYTES = 16L << 20;
    private static final long QUICK_STEP = 64;
    private static final String MOST = "max";

    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Mixin
    private TraceOption trace = new TraceOption();

    @Option(names = "--out", paramLabel = "DIR", required = true,
        description = "Folder for report.html, results.json, results.csv and overview.svg; made if it is not there.")
    private Path out = Path.of("");

    @Option(names = "--sizes", paramLabel = "SIZE", split = ",",
        description = "Sizes of the data, multiples of 4K, from 4K to a third of the memory; max is that third."
            + " Default: 4K, 32K, 256K, 2M, 16M, 128M, 1G as far as they fit.")
    private List<String> sizes = List.of();

    @Option(names = "--quick", description = "Fewer sizes and rounds: done in three minutes on two processors.")
    private boolean quick;

    @Option(names = "--any-pointer",
        description = "Also try fine-grained system SVM on a device that does not say it takes any pointer. Some do; others crash.")
    private boolean anyPointer;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    private final PrintWriter output;
    private final PrintWriter err;

    RunSvm(PrintWriter output, PrintWriter err) {
        this.output = output;
        this.err = err;
    }

    @Override
    public Integer call() throws Exception {
        DeviceChoice choice = device.choice();
        DeviceReport report = reported(choice);
        List<Long> measured = chosenSizes(Math.min(Machine.memoryBytes(), report.memoryBytes()) / 3);
        checkWritable(out);
        Map<String, String> machine = Machine.facts();
        Schedule schedule = quick ? Schedule.quick(measured) : Schedule.full(measured);
        List<Cell> cells;
        try (TraceOption.Opened traced = trace.open(output)) {
            cells = new SvmRun(traced.into(choice), schedule, anyPointer, Progress.of(err)).cells();
            // before the trace is ended, which may fail: what was measured for hours is not to be lost with it
            report(new SvmReport(new SvmResults(command(), machine, report, schedule.inWords(), cells)));
        }
        return cells.stream().noneMatch(cell -> cell.status() == Cell.Status.FAILED) ? ExitCode.OK : ExitCode.SOFTWARE;
    }

    /// Shows it first, since a disk may be full by now.
    private void report(SvmReport report) throws IOException {
        output.print(report.terminal());
        output.flush();
        report.writeTo(out);
        output.println("Report: " + out.resolve(SvmReport.HTML));
        output.flush();
    }

    /// Before a long run and not after it.
    private static void checkWritable(Path folder) throws UsageException {
        try {
            Files.createDirectories(folder);
            Files.delete(Files.createTempFile(folder, "hmm", null));
        } catch (IOException _) {
            throw new UsageException("--out: cannot write files there: " + folder);
        }
    }

    private DeviceReport reported(DeviceChoice choice) throws UsageException {
        try {
            return DeviceList.of(choice.binding(), choice.device().orElse(""));
        } catch (NoDeviceException e) {
            if (choice.device().isEmpty()) {
                throw e;
            }
            throw new UsageException("--device: " + e.getMessage());
        }
    }

    /// @param mostBytes a third of the memory
    private List<Long> chosenSizes(long mostBytes) throws UsageException {
        SortedSet<Long> chosen = new TreeSet<>();
        for (String size : sizes) {
            long bytes = size.strip().equalsIgnoreCase(MOST) ? mostBytes / SMALLEST_BYTES * SMALLEST_BYTES : parsed(size);
            if (bytes < SMALLEST_BYTES || bytes % SMALLEST_BYTES != 0 || bytes > mostBytes) {
                throw new UsageException("--sizes: " + size + " is not a multiple of 4K up to a third of the memory, " + Units.bytes(mostBytes));
            }
            chosen.add(bytes);
        }
        if (chosen.isEmpty() && spec.commandLine().getParseResult().hasMatchedOption("--sizes")) {
            throw new UsageException("--sizes: there is no size in it");
        }
        if (chosen.isEmpty()) {
            long last = quick ? QUICK_LARGEST_BYTES : LARGEST_UNLESS_ASKED_BYTES;
            for (long bytes = SMALLEST_BYTES; bytes <= Math.min(last, mostBytes); bytes *= quick ? QUICK_STEP : STEP) {
                chosen.add(bytes);
            }
        }
        return List.copyOf(chosen);
    }

    private static long parsed(String size) throws UsageException {
        try {
            return Sizes.parse(size);
        } catch (TypeConversionException e) {
            throw new UsageException("--sizes: " + e.getMessage());
        }
    }

    /// As a shell wants it, after a blank.
    private static String quoted(String argument) {
        return " " + (argument.matches("[\\w@%+=:,./-]+") ? argument : "'" + argument.replace("'", "'\\''") + "'");
    }

    private String command() {
        return System.getProperty("hmm.command", "hmm") + spec.root().commandLine().getParseResult().originalArgs().stream().map(RunSvm::quoted).collect(Collectors.joining());
    }
}
