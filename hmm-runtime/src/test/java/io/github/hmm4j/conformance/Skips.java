package io.github.hmm4j.conformance;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ConcurrentSkipListSet;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestWatcher;

/// Lists at the end of the run which tests were skipped, class by class, and why. JUnit finds it by itself (`junit-platform.properties`), so that it hears of all tests.
public final class Skips implements TestWatcher {

    private static final ExtensionContext.Namespace NAMESPACE = ExtensionContext.Namespace.create(Skips.class);

    /// Closed by JUnit with the run.
    private static final class Collected implements AutoCloseable {
        private final Map<String, Set<String>> testsByReason = new ConcurrentSkipListMap<>();

        @Override
        public void close() {
            testsByReason.forEach((reason, tests) -> System.out.println("skipped: " + reason + ": " + String.join(", ", tests)));
        }
    }

    @Override
    public void testAborted(ExtensionContext context, Throwable cause) {
        String reason = String.valueOf(cause.getMessage()).replaceFirst("^Assumption failed: ", "");
        context.getRoot().getStore(NAMESPACE).getOrComputeIfAbsent(Collected.class)
            .testsByReason.computeIfAbsent(context.getRequiredTestClass().getSimpleName() + ": " + reason, _ -> new ConcurrentSkipListSet<>())
            .add(context.getRequiredTestMethod().getName());
    }
}
