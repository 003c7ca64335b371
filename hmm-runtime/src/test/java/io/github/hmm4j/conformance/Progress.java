package io.github.hmm4j.conformance;

import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/// Prints a line for each test class when it has ended, and each failure when it happens.
///
/// Threads: that of the launcher.
final class Progress implements TestExecutionListener {

    private static final double NANOS_PER_SECOND = 1e9;

    private final PrintStream out;
    private final Map<String, Long> began = new LinkedHashMap<>();
    private final long start = System.nanoTime();
    private Counts total = new Counts(0, 0, 0);
    private Counts before = total;
    private Optional<TestPlan> plan = Optional.empty();

    private record Counts(int passed, int failed, int skipped) {

        Counts plus(int morePassed, int moreFailed, int moreSkipped) {
            return new Counts(passed + morePassed, failed + moreFailed, skipped + moreSkipped);
        }

        Counts minus(Counts other) {
            return plus(-other.passed, -other.failed, -other.skipped);
        }

        String text() {
            return "%d passed, %d failed, %d skipped".formatted(passed, failed, skipped);
        }
    }

    Progress(PrintStream out) {
        this.out = out;
    }

    @Override
    public void testPlanExecutionStarted(TestPlan testPlan) {
        plan = Optional.of(testPlan);
    }

    @Override
    public void executionStarted(TestIdentifier identifier) {
        if (isClass(identifier)) {
            before = total;
            began.put(identifier.getUniqueId(), System.nanoTime());
        }
    }

    @Override
    public void executionSkipped(TestIdentifier identifier, String reason) {
        total = total.plus(0, 0, 1);
        out.println("skipped: " + name(identifier) + ": " + reason);
    }

    @Override
    public void executionFinished(TestIdentifier identifier, TestExecutionResult result) {
        boolean failed = result.getStatus() == TestExecutionResult.Status.FAILED;
        if (identifier.isTest()) {
            boolean passed = result.getStatus() == TestExecutionResult.Status.SUCCESSFUL;
            total = total.plus(passed ? 1 : 0, failed ? 1 : 0, passed || failed ? 0 : 1);
        } else if (failed) { // what a class does before and after its tests
            total = total.plus(0, 1, 0);
        }
        if (failed) {
            out.println("FAILED: " + name(identifier));
            result.getThrowable().ifPresent(cause -> cause.printStackTrace(out));
        }
        Long beganNanos = began.remove(identifier.getUniqueId());
        if (beganNanos != null) {
            out.printf("%-32s %s, %.1f s%n", identifier.getDisplayName(), total.minus(before).text(), (System.nanoTime() - beganNanos) / NANOS_PER_SECOND);
            out.flush();
        }
    }

    /// Prints the last line.
    ///
    /// @return whether at least one test has passed and none failed
    boolean summary() {
        boolean good = total.failed == 0 && total.passed > 0;
        out.printf("%s: %s, %.0f s%n", good ? "conformance: ok" : total.failed > 0 ? "conformance: FAILED" : "conformance: NOTHING RAN", total.text(),
                (System.nanoTime() - start) / NANOS_PER_SECOND);
        return good;
    }

    /// A class of its own, not one run of a class with parameters.
    private static boolean isClass(TestIdentifier identifier) {
        return identifier.isContainer() && identifier.getSource().filter(ClassSource.class::isInstance).isPresent()
                && !identifier.getUniqueIdObject().getLastSegment().getType().contains("invocation");
    }

    /// With the names of what it is in, up to its class.
    private String name(TestIdentifier identifier) {
        Optional<TestIdentifier> parent = plan.flatMap(tests -> tests.getParent(identifier));
        boolean top = isClass(identifier) || parent.isEmpty();
        return top ? identifier.getDisplayName() : name(parent.get()) + " " + identifier.getDisplayName();
    }
}
