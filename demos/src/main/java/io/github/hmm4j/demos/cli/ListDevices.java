package io.github.hmm4j.demos.cli;

import io.github.hmm4j.demos.harness.DeviceReport;
import io.github.hmm4j.demos.report.Json;
import io.github.hmm4j.demos.report.Table;
import io.github.hmm4j.demos.report.Units;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
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

    @Option(names = "--json", paramLabel = "FILE", arity = "0..1", fallbackValue = STANDARD_OUTPUT,
        description = "Print a JSON array instead of tables, one object a line; with FILE, also write it there.")
    private Optional<String> json = Optional.empty();

    private final Catalog.DeviceListing devices;
    private final PrintWriter out;

    ListDevices(Catalog.DeviceListing devices, PrintWriter out) {
        this.devices = devices;
        this.out = out;
    }

    @Override
    public Integer call() throws Exception {
        List<DeviceReport> reports = devices.list(binding.binding());
        if (json.isPresent()) {
            String lines = Json.lines(reports);
            out.print(lines);
            if (!json.get().equals(STANDARD_OUTPUT)) {
                Files.writeString(Path.of(json.get()), lines);
            }
        } else {
            out.println(table(reports));
            reports.forEach(report -> out.println(details(report)));
        }
        out.flush();
        boolean allOpened = reports.stream().allMatch(report -> report.error().isEmpty());
        return allOpened ? ExitCode.OK : ExitCode.SOFTWARE;
    }

    private static Table table(List<DeviceReport> reports) {
        Table table = new Table("number", "name", "kind", "memory", "copies", "budget", "heap", "host access");
        for (DeviceReport report : reports) {
            String number = report.number() + (report.chosen() ? " *" : "");
            Optional<DeviceReport.Use> use = report.use();
            table.row(number, report.name(), report.kind(), Units.bytes(report.memoryBytes()),
                use.map(DeviceReport.Use::copyEngine).orElse("-"),
                use.map(each -> Units.bytes(each.budgetBytes())).orElse("-"),
                use.map(DeviceReport.Use::placement).orElse("does not open"),
                use.map(DeviceReport.Use::hostAccess).orElse("-"));
        }
        return table;
    }

    private static String details(DeviceReport report) {
        StringBuilder text = new StringBuilder("%d: %s%s%n".formatted(report.number(), report.name(),
            report.chosen() ? " (* taken unless --device says otherwise)" : ""));
        line(text, "platform", report.platform() + ", " + report.vendor());
        line(text, "driver", report.driver() + ", called through " + report.binding());
        line(text, "kind", "%s, %d compute units".formatted(report.kind(), report.computeUnits()));
        line(text, "memory", "%s, at most %s in one allocation, pointers at multiples of %d bytes, %s".formatted(
            Units.bytes(report.memoryBytes()), Units.bytes(report.maxAllocationBytes()), report.alignmentBytes(),
            report.unifiedMemory() ? "unified with the host's" : "apart from the host's"));
        line(text, "shared memory", report.svm().isEmpty() ? "none"
            : "SVM: " + String.join(", ", report.svm()).toLowerCase(Locale.ROOT).replace('_', ' '));
        report.use().ifPresent(use -> addUse(text, use));
        report.error().ifPresent(error -> line(text, "does not open", error));
        return text.toString();
    }

    private static void addUse(StringBuilder text, DeviceReport.Use use) {
        line(text, "copies", "%s, %s MB/s to the device, %s MB/s to the host".formatted(use.copyEngine(),
            Units.count(use.toDeviceMegabytesPerSecond()), Units.count(use.toHostMegabytesPerSecond())));
        line(text, "", use.copyEngineWhy());
        line(text, "budget", Units.bytes(use.budgetBytes()) + " of its memory, unless --budget says otherwise");
        line(text, "heap", Units.bytes(use.heapBytes()) + (use.placement().equals("aperture")
            ? ", the default: fits at once (aperture), so kernels may follow pointers"
            : ", the default: does not fit at once, so each kernel argument gets memory of its own (windows)"));
        line(text, "host access", use.hostAccess() + ": " + use.hostAccessWhy());
    }

    private static void line(StringBuilder text, String what, String value) {
        text.append("   %-14s %s%n".formatted(what, value));
    }
}
