package io.github.hmm4j.demos.svm.measure;

import io.github.hmm4j.demos.harness.RunFacts;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/// What figures depend on beside the device.
public final class Machine {
    private static final Path PROCESSORS = Path.of("/proc/cpuinfo");

    private Machine() {}

    /// By name.
    public static Map<String, String> facts() {
        Map<String, String> facts = RunFacts.now();
        facts.put("os", System.getProperty("os.name") + " " + System.getProperty("os.version") + ", " + System.getProperty("os.arch"));
        facts.put("processor", field(PROCESSORS, "model name"));
        facts.put("memory", String.format(Locale.ROOT, "%.1f GiB", memoryBytes() / 0x1p30));
        facts.computeIfPresent("load", (_, load) -> load + " at the start");
        return facts;
    }

    /// Of the host; what a container allows, if that is less.
    public static long memoryBytes() {
        return ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class).getTotalMemorySize();
    }

    private static String field(Path file, String name) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.filter(line -> line.startsWith(name)).map(line -> line.substring(line.indexOf(':') + 1).strip()).findFirst().orElse("unknown");
        } catch (IOException e) {
            return "unknown";
        }
    }
}
