package io.github.hmm4j.demos.harness;

import java.lang.management.ManagementFactory;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/// What every figure depends on, whatever was measured.
public final class RunFacts {
    private RunFacts() {}

    /// `date`, `commit`, `jdk`, `processors` and `load` (of the last minute), as they are now; the caller may add to them.
    public static Map<String, String> now() {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        facts.put("commit", System.getProperty("hmm.commit", "unknown"));
        facts.put("jdk", Runtime.version() + ", " + System.getProperty("java.vm.name"));
        facts.put("processors", Integer.toString(Runtime.getRuntime().availableProcessors()));
        facts.put("load", String.format(Locale.ROOT, "%.2f", ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage()));
        return facts;
    }
}
