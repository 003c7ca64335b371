package io.github.hmm4j.demos.cli;

import io.github.hmm4j.demos.harness.DeviceReport;
import io.github.hmm4j.demos.harness.DeviceReport.Decision;
import io.github.hmm4j.demos.harness.DeviceReport.Extension;
import io.github.hmm4j.demos.harness.DeviceReport.Offer;
import io.github.hmm4j.demos.harness.DeviceReport.SharedMemory;
import io.github.hmm4j.demos.report.Table;
import io.github.hmm4j.demos.report.Units;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What `hmm devices` prints for people.
final class DeviceText {
    private DeviceText() {}

    /// One row for each device.
    static Table table(List<DeviceReport> reports) {
        Table table = new Table("number", "name", "kind", "memory", "copies", "budget", "heap", "host access");
        for (DeviceReport report : reports) {
            Optional<DeviceReport.Use> use = report.use();
            table.row(number(report) + (report.chosen() ? " *" : ""), report.name(), report.kind(),
                Units.bytes(report.memoryBytes()),
                use.map(DeviceReport.Use::copyEngine).orElse("-"),
                use.map(each -> Units.bytes(each.budgetBytes())).orElse("-"),
                use.map(DeviceReport.Use::placement)
                    .orElse(report.number() == DeviceReport.IGNORED ? "cannot be used" : "does not open"),
                use.map(DeviceReport.Use::hostAccess).orElse("-"));
        }
        return table;
    }

    /// Everything about one device.
    static String details(DeviceReport report) {
        StringBuilder text = new StringBuilder("%s: %s%s%n".formatted(number(report), report.name(),
            report.chosen() ? " (* taken unless --device says otherwise)" : ""));
        if (report.number() == DeviceReport.IGNORED) {
            line(text, "platform", report.platform());
            line(text, "cannot be used", report.error().orElse(""));
            return text.toString();
        }
        line(text, "platform", report.platform() + ", " + report.vendor());
        line(text, "driver", report.driver() + ", called through " + report.binding());
        line(text, "kind", String.format(Locale.ROOT, "%s, %d compute units", report.kind(), report.computeUnits()));
        line(text, "memory", String.format(Locale.ROOT, "%s, at most %s in one allocation, pointers at multiples of %d bytes, %s",
            Units.bytes(report.memoryBytes()), Units.bytes(report.maxAllocationBytes()), report.alignmentBytes(),
            report.unifiedMemory() ? "unified with the host's" : "apart from the host's"));
        report.workGroups().ifPresent(groups -> line(text, "work-groups", String.format(Locale.ROOT,
            "up to %s work-items%s, %s of local memory each; at least %d of them, to use all compute units",
            Units.count(groups.maxWorkGroupSize()),
            groups.preferredMultiple().map(multiple -> ", best a multiple of " + Units.count(multiple)).orElse(""),
            Units.bytes(groups.localMemoryBytes()), report.computeUnits())));
        if (report.offer().isPresent()) {
            addOffer(text, report.offer().get());
        } else {
            line(text, "shared memory", report.svm().isEmpty() ? "none"
                : "SVM: " + String.join(", ", report.svm()).toLowerCase(Locale.ROOT).replace('_', ' '));
        }
        addDecisions(text, report.decisions());
        report.error().ifPresent(error -> line(text, "does not open", error));
        return text.toString();
    }

    private static void addOffer(StringBuilder text, Offer offer) {
        String what = "shared memory";
        for (SharedMemory each : offer.sharedMemory()) {
            line(text, what, (each.available() ? each.kind() + ": " : "no " + each.kind() + ": ") + each.meaning());
            what = "";
        }
        line(text, "atomics", offer.atomics());
        line(text, "OpenCL", offer.openCl() + ", kernels in OpenCL C " + String.join(", ", offer.openClC()));
        line(text, "queues", "in order%s, %s".formatted(offer.outOfOrder() ? " or out of order" : "",
            offer.profiling() ? "with device times in steps of " + Units.nanos(offer.timerNanos()) : "without device times"));
        what = "extensions";
        for (Extension each : offer.extensions()) {
            line(text, what, each.name() + ": " + each.meaning());
            what = "";
        }
        if (offer.extensions().isEmpty()) {
            line(text, what, "none that change what hmm4j does");
        }
        offer.uuid().ifPresent(uuid -> line(text, "uuid", uuid));
        offer.pciAddress().ifPresent(address -> line(text, "PCI", address));
    }

    private static void addDecisions(StringBuilder text, List<Decision> decisions) {
        String heading = decisions.isEmpty() ? "" : "   What hmm4j does with it, and why:%n".formatted();
        text.append(heading);
        for (Decision each : decisions) {
            line(text, each.what(), each.choice());
            line(text, "", each.why());
        }
    }

    private static String number(DeviceReport report) {
        return report.number() == DeviceReport.IGNORED ? "-" : Integer.toString(report.number());
    }

    private static void line(StringBuilder text, String what, String value) {
        text.append("   %-14s %s%n".formatted(what, value));
    }
}
