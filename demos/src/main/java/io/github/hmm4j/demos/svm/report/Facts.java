package io.github.hmm4j.demos.svm.report;

import io.github.hmm4j.demos.harness.DeviceReport;
import io.github.hmm4j.demos.report.Units;
import io.github.hmm4j.demos.svm.SvmResults;
import io.github.hmm4j.demos.svm.verdict.Words;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What the figures depend on, in words: machine, device, what shared memory it has, and what hmm4j does with it.
final class Facts {
    /// A name, and what there is to say under it.
    record Fact(String name, String text) {}

    /// @param title `The device`
    record Group(String title, List<Fact> facts) {}

    private Facts() {}

    static List<Group> of(SvmResults results) {
        DeviceReport device = results.device();
        return List.of(new Group("Machine", machine(results.machine())), new Group("Device", device(device)),
            new Group("Shared virtual memory", svm(device)), new Group("What hmm4j does with it", use(device)));
    }

    private static List<Fact> machine(Map<String, String> machine) {
        List<Fact> facts = new ArrayList<>();
        machine.forEach((name, value) -> facts.add(new Fact(name(name), value)));
        return facts;
    }

    private static List<Fact> device(DeviceReport device) {
        List<Fact> facts = new ArrayList<>(List.of(new Fact("Name", Titles.device(device)),
            new Fact("Platform", device.platform() + ", " + device.vendor()),
            new Fact("Driver", device.driver() + ", called through " + device.binding()),
            new Fact("Kind", device.kind() + ", " + Units.count(device.computeUnits()) + " compute units"),
            new Fact("Memory", Words.size(device.memoryBytes()) + (device.unifiedMemory() ? ", unified with the host's" : ", apart from the host's")),
            new Fact("Largest allocation", Words.size(device.maxAllocationBytes())),
            new Fact("Alignment", Units.count(device.alignmentBytes()) + " bytes")));
        device.offer().ifPresent(offer -> {
            offer.extensions().forEach(extension -> facts.add(new Fact("Extension", extension.name() + ": " + extension.meaning())));
            offer.pciAddress().ifPresent(address -> facts.add(new Fact("PCI address", address)));
            offer.uuid().ifPresent(uuid -> facts.add(new Fact("UUID", uuid)));
        });
        return facts;
    }

    /// All kinds that there are with their meaning; of a device that says no more than their names, those that it has.
    private static List<Fact> svm(DeviceReport device) {
        if (device.offer().isEmpty()) {
            return List.of(new Fact("Kinds", device.svm().isEmpty() ? "none"
                : Words.list(device.svm().stream().map(kind -> kind.toLowerCase(Locale.ROOT).replace('_', ' ')).toList())));
        }
        List<Fact> facts = new ArrayList<>();
        device.offer().get().sharedMemory().forEach(kind -> facts.add(new Fact(Words.capital(kind.kind()),
            (kind.available() ? "yes: " : "no; it would mean: ") + kind.meaning())));
        facts.add(new Fact("Atomic operations", device.offer().get().atomics()));
        return facts;
    }

    private static List<Fact> use(DeviceReport device) {
        List<Fact> facts = new ArrayList<>();
        if (device.decisions().isEmpty()) {
            device.use().ifPresent(use -> {
                facts.add(new Fact("Copies", use.copyEngine() + ": " + use.copyEngineWhy()));
                facts.add(new Fact("Host access", use.hostAccess() + ": " + use.hostAccessWhy()));
            });
        }
        device.decisions().forEach(decision -> facts.add(new Fact(Words.capital(decision.what()),
            decision.choice() + ". Why: " + decision.why())));
        device.error().ifPresent(error -> facts.add(new Fact("Does not open", error)));
        return facts;
    }

    /// `jdk` as `JDK`, others with a capital.
    private static String name(String key) {
        return key.length() <= 3 ? key.toUpperCase(Locale.ROOT) : key.substring(0, 1).toUpperCase(Locale.ROOT) + key.substring(1);
    }
}
