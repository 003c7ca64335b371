package io.github.hmm4j.conformance;

import static org.junit.platform.engine.discovery.ClassNameFilter.includeClassNamePatterns;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectPackage;
import static org.junit.platform.launcher.EngineFilter.includeEngines;
import static org.junit.platform.launcher.TagFilter.excludeTags;

import io.github.hmm4j.OpenClDevices;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.opencl.ClDeviceId;
import io.github.hmm4j.error.NoDeviceException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/// The conformance suite as a program, for a machine that has neither Maven nor the sources: everything that says how heaps and devices behave, on the device that
/// hmm4j chooses there (`hmm test` in a bundle).
///
/// Left out is what is about the source tree and the build (tag `source-tree`), what holds and loses emulated GPUs of its own (`emulated-gpu`, `emulated-igpu`), and what wants two devices where there are fewer; and unless all is asked for,
/// what says the same once more of another binding or rung (`elsewhere`), or takes minutes (`exhaustive`). Exit status: 0 all passed or were skipped with a reason;
/// 1 a test failed, none ran, or there is no device; 2 the command line makes no sense.
final class ConformanceRun {

    private static final List<String> PACKAGES = List.of("io.github.hmm4j.conformance", "io.github.hmm4j.device", "io.github.hmm4j.transparent");
    /// As the build calls them; classes inside of others are no tests of their own.
    private static final String TESTS = "(?=.*Test$)";
    private static final List<String> OF_THE_TREE = List.of("source-tree", "emulated-gpu", "emulated-igpu");
    private static final String USAGE = """
            Usage: hmm test [--device emulated:PROFILE] [--all] [--only REGEX]
            Runs the conformance suite on the OpenCL device in front of you, or on an emulated GPU.
              --all          also what takes minutes, and the same once more through each binding and each way of reaching host memory
              --only REGEX   only test classes with such a name: --only '.*Uffd.*'""";

    private ConformanceRun() {}

    public static void main(String[] args) {
        System.exit(run(args, System.out, System.err));
    }

    private static int run(String[] args, PrintStream out, PrintStream err) {
        String only = ".*";
        boolean all = false;
        for (int at = 0; at < args.length; at++) {
            switch (args[at]) {
                case "--all" -> all = true;
                case "--only", "--device" -> { // the launcher has loaded the device
                    if (at + 1 == args.length) {
                        err.println(USAGE);
                        return 2;
                    }
                    only = args[at].equals("--only") ? args[at + 1] : only;
                    at++;
                }
                case "--help", "-h" -> {
                    out.println(USAGE);
                    return 0;
                }
                default -> {
                    if (!args[at].startsWith("--device=")) {
                        err.println(USAGE);
                        return 2;
                    }
                }
            }
        }
        try {
            Pattern.compile(only);
        } catch (PatternSyntaxException e) {
            err.println("hmm: not a regular expression: " + e.getMessage());
            return 2;
        }
        List<ClDeviceId> devices;
        try {
            devices = OpenClDevices.list(ClBinding.LWJGL);
        } catch (NoDeviceException e) {
            err.println("hmm: " + e.getMessage());
            return 1;
        }
        if (devices.isEmpty()) {
            err.println("hmm: there is no OpenCL device to test");
            return 1;
        }
        ClDeviceId chosen = OpenClDevices.choose(devices, "");
        out.printf("conformance suite on %s (%s), %d device%s%n", chosen.info().name(), chosen.info().driver(), devices.size(), devices.size() == 1 ? "" : "s");
        List<String> tags = new ArrayList<>(OF_THE_TREE);
        if (devices.size() < 2) {
            tags.add("two-devices");
        }
        if (!all) {
            tags.addAll(List.of("elsewhere", "exhaustive"));
        }
        return run(PACKAGES.stream().map(name -> (DiscoverySelector) selectPackage(name)).toList(), TESTS + "(?:" + only + ")", tags, out);
    }

    /// Runs what is selected, as far as one device can show it.
    ///
    /// @return the exit status
    static int run(List<DiscoverySelector> selectors, String classNames, PrintStream out) {
        List<String> tags = new ArrayList<>(OF_THE_TREE);
        tags.add("two-devices");
        return run(selectors, classNames, tags, out);
    }

    /// @param tags what is left out
    /// @return the exit status
    static int run(List<DiscoverySelector> selectors, String classNames, List<String> tags, PrintStream out) {
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request().selectors(selectors)
                .filters(includeEngines("junit-jupiter"), includeClassNamePatterns(classNames), excludeTags(tags))
                .configurationParameter("junit.jupiter.execution.timeout.default", "600 s") // for what hangs: a machine may have other things to do
                .configurationParameter("junit.jupiter.execution.timeout.threaddump.enabled", "true")
                .build();
        Progress progress = new Progress(out);
        try (var session = LauncherFactory.openSession()) { // closes what tests have left for the end, such as the list of skips
            TestPlan plan = session.getLauncher().discover(request);
            session.getLauncher().execute(plan, progress);
        }
        return progress.summary() ? 0 : 1;
    }
}
