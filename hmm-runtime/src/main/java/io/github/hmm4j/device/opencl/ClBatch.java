package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.error.HmmException;
import org.jspecify.annotations.Nullable;

/// Several commands of one queue that count as one: done when all are, failed if one is.
final class ClBatch implements Completion {

    private final ClCompletion[] commands;

    /// @param commands in the order of the queue, at least one
    ClBatch(ClCompletion[] commands) {
        this.commands = commands;
    }

    @Override
    public boolean isDone() {
        for (int i = commands.length - 1; i >= 0; i--) {
            if (!commands[i].isDone()) {
                return false;
            }
        }
        return true;
    }

    /// The last command first: its end is that of all, and asking the others then costs no wait.
    @Override
    public void await() {
        HmmException failure = null;
        for (int i = commands.length - 1; i >= 0; i--) {
            failure = outcome(commands[i], failure);
        }
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public long deviceNanos() {
        long sum = 0;
        for (ClCompletion command : commands) {
            long nanos = command.deviceNanos();
            if (nanos < 0) {
                return -1;
            }
            sum += nanos;
        }
        return sum;
    }

    boolean isGivenUp() {
        for (ClCompletion command : commands) {
            if (command.isGivenUp()) {
                return true;
            }
        }
        return false;
    }

    @Override
    public boolean mayStillRun() {
        for (ClCompletion command : commands) {
            if (command.mayStillRun()) {
                return true;
            }
        }
        return false;
    }

    private static @Nullable HmmException outcome(ClCompletion command, @Nullable HmmException before) {
        try {
            command.await();
            return before;
        } catch (HmmException e) {
            return e;
        }
    }
}
