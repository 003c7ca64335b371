package io.github.hmm4j.device.sim;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.error.HmmException;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/// The end of one piece of simulated work.
final class SimCompletion implements Completion {

    private final CountDownLatch end = new CountDownLatch(1);
    private final long command;
    // Written before the latch opens, read after it.
    private @Nullable HmmException failure;
    private long nanos = -1;

    /// @param command its number, or 0
    SimCompletion(long command) {
        this.command = command;
    }

    void end(@Nullable HmmException outcome, long deviceNanos) {
        failure = outcome;
        nanos = deviceNanos;
        end.countDown();
    }

    @Override
    public boolean isDone() {
        return end.getCount() == 0;
    }

    /// Not cut short by an interrupt: memory may not be touched before the work has ended. The interrupt is kept.
    @Override
    public void await() {
        boolean interrupted = false;
        while (true) {
            try {
                end.await();
                break;
            } catch (InterruptedException _) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public long command() {
        return command;
    }

    @Override
    public long deviceNanos() {
        return isDone() ? nanos : -1;
    }
}
