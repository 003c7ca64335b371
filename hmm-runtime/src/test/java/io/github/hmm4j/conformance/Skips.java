package io.github.hmm4j.conformance;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestWatcher;

/// Lists at the end of the run which scenarios were skipped and why.
final class Skips implements TestWatcher {

    private static final ExtensionContext.Namespace NAMESPACE = ExtensionContext.Namespace.create(Skips.class);

    /// Closed by JUnit with the run.
    private static final class Collected implements AutoCloseable {
        private final Queue<String> lines = new ConcurrentLinkedQueue<>();

        @Override
        public void close() {
            lines.stream().sorted().forEach(System.out::println);
        }
    }

    @Override
    public void testAborted(ExtensionContext context, Throwable cause) {
        context.getRoot().getStore(NAMESPACE).getOrComputeIfAbsent(Collected.class).lines.add("skipped: %s.%s %s: %s".formatted(
                context.getRequiredTestClass().getSimpleName(), context.getRequiredTestMethod().getName(),
                context.getParent().map(ExtensionContext::getDisplayName).orElse(""), cause.getMessage()));
    }
}
