package io.github.hmm4j.device.opencl;

import org.jspecify.annotations.Nullable;

/// Runs every step of a release, whatever fails, and throws the first failure at the end with the others suppressed in
/// it.
final class Cleanup {

    private @Nullable RuntimeException first;
    private int count;

    Cleanup() {}

    /// Releases on the way out of a failure, which is thrown at the end.
    Cleanup(RuntimeException failure) {
        first = failure;
        count = 1;
    }

    Cleanup run(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException e) {
            count++;
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

    /// How many have failed, the one on the way included.
    int count() {
        return count;
    }

    void end() {
        if (first != null) {
            throw first;
        }
    }
}
