package io.github.hmm4j.demos.svm.report;

import io.github.hmm4j.demos.harness.DeviceReport;
import io.github.hmm4j.demos.report.Units;
import io.github.hmm4j.demos.svm.SvmResults;
import io.github.hmm4j.demos.svm.verdict.Words;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What the figures depend on, in words: machine, device, what shared memory it has, and what hmm4j does with it.
final class Facts {
    /// A name, and what there is to say under it.
    record Fact(String name, String text) {}

    /// @param title `The device`
    record Group(String title, List<Fact> facts) {}

    private static final Map<String, String> SVM = new LinkedHashMap<>();

    static {
        SVM.put("COARSE_GRAIN_BUFFER", "Coarse-grained buffers: both use the same addresses; the host maps memory before it touches it, and unmaps it before a kernel does.");
        SVM.put("FINE_GRAIN_BUFFER", "Fine-grained buffers: host and device touch the same allocation without mapping; each sees the other's changes from launch to launch.");
        SVM.put("FINE_GRAIN_SYSTEM", "Fine-grained system: kernels follow any pointer of the program, also into memory that OpenCL did not allocate.");
        SVM.put("ATOMICS", "Atomics: host and a running kernel may use the same fine-grained memory at the same time.");
    }

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
        return List.of(new Fact("Name", Titles.device(device)),
            new Fact("Platform", device.platform() + ", " + device.vendor()),
            new Fact("Driver", device.driver() + ", called through " + device.binding()),
            new Fact("Kind", device.kind() + ", " + Units.count(device.computeUnits()) + " compute units"),
            new Fact("Memory", Words.size(device.memoryBytes()) + (device.unifiedMemory() ? ", unified with the host's" : ", apart from the host's")),
            new Fact("Largest allocation", Words.size(device.maxAllocationBytes())),
            new Fact("Alignment", Units.count(device.alignmentBytes()) + " bytes"));
    }

    private static List<Fact> svm(DeviceReport device) {
        List<Fact> facts = new ArrayList<>();
        SVM.forEach((kind, meaning) -> facts.add(new Fact(device.svm().contains(kind) ? "yes" : "no", meaning)));
        // What a later version may know and this one cannot explain.
        device.svm().stream().filter(kind -> !SVM.containsKey(kind)).forEach(kind -> facts.add(new Fact("yes", kind)));
        return facts;
    }

    private static List<Fact> use(DeviceReport device) {
        List<Fact> facts = new ArrayList<>();
        device.use().ifPresent(use -> {
            facts.add(new Fact("Copy engine", use.copyEngine() + ": " + use.copyEngineWhy()));
            facts.add(new Fact("Its speed", "%s MB/s to the device, %s MB/s to the host".formatted(
                Units.count(use.toDeviceMegabytesPerSecond()), Units.count(use.toHostMegabytesPerSecond()))));
            facts.add(new Fact("Host access", use.hostAccess() + ": " + use.hostAccessWhy()));
            facts.add(new Fact("Placement", use.placement() + (use.placement().equals("aperture")
                ? ": a heap fits at once, so kernels may follow pointers" : ": each kernel argument gets memory of its own")));
            facts.add(new Fact("Heap and budget", Words.size(use.heapBytes()) + " of addresses, " + Words.size(use.budgetBytes())
                + " of device memory at once"));
        });
        device.error().ifPresent(error -> facts.add(new Fact("Does not open", error)));
        return facts;
    }

    /// `jdk` as `JDK`, others with a capital.
    private static String name(String key) {
        return key.length() <= 3 ? key.toUpperCase(Locale.ROOT) : key.substring(0, 1).toUpperCase(Locale.ROOT) + key.substring(1);
    }
}
