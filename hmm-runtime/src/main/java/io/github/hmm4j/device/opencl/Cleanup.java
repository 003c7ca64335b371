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
            add(e);
        }
        return this;
    }

    /// That the Java heap is full goes before everything else: whoever hears of it goes on another time.
    private void add(Throwable later) {
        Throwable before = first;
        if (before == null) {
            first = later;
            return;
        }
        boolean isFull = later instanceof OutOfMemoryError && !(before instanceof OutOfMemoryError);
        if (isFull) {
            first = later;
        }
        if (!before.equals(later)) {
            suppress(isFull ? later : before, isFull ? before : later);
        }
    }

    private static void suppress(Throwable failure, Throwable other) {
        try {
            failure.addSuppressed(other);
        } catch (OutOfMemoryError _) {
            return; // one failure is told of
        }
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
