package io.github.hmm4j.demos.micro;

import io.github.hmm4j.OpenClDevices;
import io.github.hmm4j.demos.harness.RunFacts;
import io.github.hmm4j.demos.harness.UsageException;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.error.NoDeviceException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/// Finds the benchmarks of this package and has JMH run them.
///
/// Each runs in processes of its own, which get the flags of this one's JVM and its environment, and with that the
/// preloaded libjsig. What JMH prints goes to a log.
public final class MicroBenches {
    private static final String PACKAGE = MicroBenches.class.getPackageName() + ".";

    private MicroBenches() {}

    /// How long and how often.
    ///
    /// @param forks processes
    public record Effort(String name, int forks, Iterations warmUp, Iterations measurement) {
        public static final Effort FULL = new Effort("full", 3, new Iterations(3, 1000), new Iterations(5, 1000));
        public static final Effort QUICK = new Effort("quick", 1, new Iterations(3, 500), new Iterations(5, 200));
    }

    /// Each gives one measurement.
    public record Iterations(int count, long millis) {
        private TimeValue time() {
            return TimeValue.milliseconds(millis);
        }
    }

    /// The benchmarks whose names contain the pattern, such as `Words.transition`, in the order of their names.
    ///
    /// @throws UsageException if it is no pattern, or nothing matches
    public static List<String> matching(String pattern) throws UsageException {
        Pattern wanted;
        try {
            wanted = Pattern.compile(pattern);
        } catch (PatternSyntaxException e) {
            throw new UsageException("not a regular expression: '" + pattern + "', " + e.getDescription());
        }
        List<String> all = all();
        List<String> matching = all.stream().filter(wanted.asPredicate()).toList();
        if (matching.isEmpty()) {
            throw new UsageException("no micro-benchmark matches '" + pattern + "': there are " + String.join(", ", all));
        }
        return matching;
    }

    private static List<String> all() {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        return BenchmarkList.defaultList().getAll(OutputFormatFactory.createFormatInstance(nowhere, VerboseMode.SILENT), List.of())
            .stream().map(BenchmarkListEntry::getUsername).filter(name -> name.startsWith(PACKAGE))
            .map(name -> name.substring(PACKAGE.length())).sorted().toList();
    }

    /// Runs one of them.
    ///
    /// @param logs a folder for what JMH prints; made if it is not there
    /// @throws IOException if it failed, naming the log that says why
    public static MicroRow run(String name, Effort effort, Path logs) throws IOException {
        Map<String, String> environment = environment(effort);
        Path log = Files.createDirectories(logs).resolve(name + ".log");
        var options = new OptionsBuilder().include("^" + Pattern.quote(PACKAGE + name) + "$")
            .mode(Mode.AverageTime).timeUnit(TimeUnit.NANOSECONDS).forks(effort.forks)
            .warmupIterations(effort.warmUp.count()).warmupTime(effort.warmUp.time())
            .measurementIterations(effort.measurement.count()).measurementTime(effort.measurement.time())
            .shouldFailOnError(true).output(log.toString()).build();
        try {
            RunResult run = new Runner(options).runSingle();
            Result<?> result = run.getPrimaryResult();
            return new MicroRow(name, result.getScore(), result.getScoreError(),
                result.getStatistics().getMin(), result.getSampleCount(), sentence(name), environment);
        } catch (RunnerException e) {
            throw new IOException("%s failed: %s; all of it is in %s".formatted(name, firstError(log, e), log), e);
        }
    }

    /// What a benchmark says that it measures.
    static String sentence(String name) {
        int dot = name.indexOf('.');
        try {
            return Arrays.stream(Class.forName(PACKAGE + name.substring(0, dot)).getMethods())
                .filter(method -> method.getName().equals(name.substring(dot + 1)) && method.isAnnotationPresent(Measures.class))
                .map(method -> method.getAnnotation(Measures.class).value()).findFirst()
                .orElseThrow(() -> new IllegalStateException("benchmark=" + name + " does not say what it measures"));
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException("benchmark=" + name, e);
        }
    }

    /// The line in which the process said what went wrong, for JMH itself only says that something did.
    private static String firstError(Path log, RunnerException e) throws IOException {
        return Files.readAllLines(log).stream().filter(line -> line.contains("Exception:") || line.contains("Error:"))
            .findFirst().map(String::strip).orElse(String.valueOf(e.getMessage()));
    }

    /// The one that benchmarks take which need one, and its driver.
    private static String device() {
        try {
            DeviceInfo info = OpenClDevices.choose(OpenClDevices.list(ClBinding.LWJGL), "").info();
            return info.name() + " (" + info.kind() + "), " + info.driver();
        } catch (NoDeviceException e) {
            return "none: " + e.getMessage();
        }
    }

    private static Map<String, String> environment(Effort effort) {
        Map<String, String> facts = RunFacts.now();
        facts.put("device", device());
        facts.put("effort", effort.name());
        return facts;
    }
}
