package io.github.hmm4j.device.opencl;

import org.jspecify.annotations.Nullable;

/// Runs every step of a release, whatever fails, and throws the first failure at the end with the others suppressed in
/// it.
final class Cleanup {

    private @Nullable RuntimeException first;

    Cleanup() {}

    /// Releases on the way out of a failure, which is thrown at the end.
    Cleanup(RuntimeException failure) {
        first = failure;
    }

    Cleanup run(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException e) {
            if (first == null) {
                first = e;
            } else if (!first.equals(e)) {
                first.addSuppressed(e);
            }
        }
        return this;
    }

    @Nullable RuntimeException failure() {
        return first;
    }

    void end() {
        if (first != null) {
            throw first;
        }
    }
}
