package io.github.hmm4j.device.opencl;

import org.jspecify.annotations.Nullable;

/// Runs every step of a release, whatever fails, that the Java heap is full included, and throws the first failure at the end with the others suppressed in it.
final class Cleanup {

    private @Nullable Throwable first; // unchecked
    private int count;

    Cleanup() {}

    /// Releases on the way out of a failure, which is thrown at the end.
    Cleanup(Throwable failure) {
        first = failure;
        count = 1;
    }

    Cleanup run(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException | Error e) {
            count++;
            if (first == null) {
                first = e;
            } else if (!first.equals(e)) {
                first.addSuppressed(e);
            }
        }
        return this;
    }

    @Nullable Throwable failure() {
        return first;
    }

    /// How many have failed, the one on the way included.
    int count() {
        return count;
    }

    void end() {
        if (first instanceof Error e) {
            throw e;
        }
        if (first != null) {
            throw (RuntimeException) first;
        }
    }
}
