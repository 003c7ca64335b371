package io.github.hmm4j.demos.cli;

import io.github.hmm4j.demos.harness.DeviceReport;
import io.github.hmm4j.demos.harness.UsageException;
import io.github.hmm4j.demos.report.Json;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `hmm devices`.
final class ListDevices implements Callable<Integer> {
    private static final String STANDARD_OUTPUT = "-";

    @Mixin
    private BindingOption binding = new BindingOption();

    @Option(names = "--device", paramLabel = "DEVICE", converter = DeviceOptions.DeviceConverter.class,
        description = "List only this one: a number of the list, a part of a device's name, or"
            + " emulated:PROFILE[:OPTION=VALUE,...] (demos/docs/gpu.md). Default: all.")
    private Optional<String> device = Optional.empty();

    @Option(names = "--json", paramLabel = "FILE", arity = "0..1", fallbackValue = STANDARD_OUTPUT,
        description = "Print a JSON array instead of tables, one object a line; with FILE, also write it there.")
    private Optional<String> json = Optional.empty();

    @Option(names = "--emulated",
        description = "List what each emulated GPU claims to be instead (demos/docs/gpu.md).")
    private boolean emulated;

    private final Catalog.DeviceListing devices;
    private final PrintWriter out;

    ListDevices(Catalog.DeviceListing devices, PrintWriter out) {
        this.devices = devices;
        this.out = out;
    }

    @Override
    public Integer call() throws Exception {
        if (emulated && System.getenv(DeviceOptions.EMULATED_SETTING) == null) {
            throw new UsageException("--emulated is carried out by the script that starts this program");
        }
        List<DeviceReport> reports = devices.list(binding.binding(), device);
        if (json.isPresent()) {
            String lines = Json.lines(reports);
            out.print(lines);
            if (!json.get().equals(STANDARD_OUTPUT)) {
                Files.writeString(Path.of(json.get()), lines);
            }
        } else {
            out.println(DeviceText.table(reports));
            reports.forEach(report -> out.println(DeviceText.details(report)));
        }
        out.flush();
        List<DeviceReport> usable =
            reports.stream().filter(report -> report.number() != DeviceReport.IGNORED).toList();
        boolean allOpened = usable.stream().allMatch(report -> report.error().isEmpty());
        return allOpened && !usable.isEmpty() ? ExitCode.OK : ExitCode.SOFTWARE;
    }
}
