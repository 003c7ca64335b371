package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.OpenClFailedException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Owner of one event. Whoever sees the end first keeps the outcome here; the last one out releases the event.
final class ClCompletion implements Completion {

    private static final Logger LOG = LoggerFactory.getLogger(ClCompletion.class);

    private final ClQueue queue;
    private final String call;
    private final Supplier<String> detail;
    private final CommandLog.@Nullable Entry asked;

    /// How long a command is believed in that cannot be waited for.
    static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final long FIRST_PAUSE_NANOS = 20_000;
    private static final long LONGEST_PAUSE_NANOS = 5_000_000;

    private long event;
    /// Threads inside a call on the event: it is not released under them.
    private int users;

    private volatile @Nullable HmmException failure;
    private final Object judging = new Object();
    private boolean judged;
    private boolean givenUp;
    private long nanos = -1;
    /// Written last, so that whoever reads true sees the outcome.
    private volatile boolean done;

    ClCompletion(ClQueue queue, long event, String call, Supplier<String> detail, CommandLog.@Nullable Entry asked) {
        this.queue = queue;
        this.event = event;
        this.call = call;
        this.detail = detail;
        this.asked = asked;
    }

    @Override
    public boolean isDone() {
        if (!done) {
            look(false);
            HmmException failed = done ? failure : null;
            if (failed != null) {
                LOG.warn("a command has failed that nobody was waiting for: {}", failed.getMessage()); // what it was to write may be touched before anybody awaits it
            }
        }
        return done;
    }

    @Override
    public void await() {
        look(true);
        HmmException failed = failure;
        if (failed != null) {
            throw failed instanceof OpenClFailedException resources && resources.status() == ClStatus.OUT_OF_RESOURCES ? judged(resources) : failed;
        }
    }

    /// What drivers say of a command that was too much for a device, and of all commands once it has gone. Only who waits asks: [#isDone] never does.
    private HmmException judged(OpenClFailedException resources) {
        synchronized (judging) {
            if (!judged) {
                HmmException outcome = queue.deviceAnswers() ? resources : ClStatus.lost(resources);
                failure = outcome;
                judged = true;
                return outcome;
            }
            return Objects.requireNonNull(failure);
        }
    }

    private void look(boolean wait) {
        long handle = enter();
        if (handle == 0) {
            return;
        }
        int status = 1;
        boolean stuck = false;
        HmmException broken = null;
        try {
            if (wait) {
                queue.api().waitFor(handle);
            }
            status = queue.api().eventStatus(handle);
            if (!wait && status == 0) {
                queue.api().waitFor(handle); // at once: that we were told of the end does not make what the command did visible to other queues, waiting for it does
            }
            stuck = wait && status > 0;
        } catch (HmmException e) {
            // That we cannot ask does not mean that it failed. Callers act on the answer, so wait for the whole queue.
            try {
                queue.finish();
                status = queue.api().eventStatus(handle);
                status = wait && status > 0 ? insist(handle) : status; // not every driver waits there
            } catch (HmmException second) {
                e.addSuppressed(second);
                status = wait ? insist(handle) : 1;
                broken = wait && status == 0 && !waitsAgain(handle) ? ClStatus.retold(e, detail.get() + ", after " + call) : null; // what it did is not known to be visible
            }
            stuck = wait && status > 0;
        } finally {
            if (stuck) {
                giveUp();
            }
            leave(status, broken);
        }
    }

    private int insist(long handle) {
        return statusInTime(queue.api(), handle, PATIENCE);
    }

    /// Asks until it has ended, or for so long that nobody can believe that it will: then it is positive.
    static int statusInTime(ClApi api, long handle, Duration patience) {
        long began = System.nanoTime();
        long pause = FIRST_PAUSE_NANOS;
        boolean interrupted = false;
        int status = 1;
        while (status > 0 && System.nanoTime() - began < patience.toNanos()) {
            interrupted |= Thread.interrupted(); // else there would be no pause
            LockSupport.parkNanos(pause);
            pause = Math.min(LONGEST_PAUSE_NANOS, 2 * pause);
            try {
                status = api.eventStatus(handle);
            } catch (HmmException _) {
                status = 1; // asked again
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return status;
    }

    /// For a command that has ended, perhaps only since the wait for it failed.
    private boolean waitsAgain(long handle) {
        try {
            queue.api().waitFor(handle);
            return true;
        } catch (HmmException _) {
            return false;
        }
    }

    /// The command may still write to what it was given: nobody uses that again, nor the event.
    private synchronized void giveUp() {
        if (!done) {
            failure = ClStatus.failure(-2, call, detail.get() + ", the command does not end and cannot be waited for");
            givenUp = true;
            done = true;
        }
    }

    /// Whether a command of ours may still be running although its outcome is known to be bad: what it writes to, or reads, must not be used again.
    static boolean isGivenUp(Completion completion) {
        return completion instanceof ClCompletion command ? command.isGivenUp() : completion instanceof ClBatch batch && batch.isGivenUp(); // no switch: the first takes something from the Java heap
    }

    /// Whether the command may still be running although its outcome is known to be bad.
    boolean isGivenUp() {
        return done && givenUp;
    }

    @Override
    public boolean mayStillRun() {
        if (!isGivenUp()) {
            return false;
        }
        try {
            return queue.api().eventStatus(event) > 0;
        } catch (HmmException _) {
            return true; // nobody knows
        }
    }

    @Override
    public long deviceNanos() {
        return isDone() ? nanos : -1;
    }

    @Override
    public long command() {
        return asked == null ? 0 : asked.number();
    }

    /// Gives up on an event whose queue can no longer be waited for.
    synchronized void fail(HmmException reason) {
        if (!done) {
            failure = reason;
            givenUp = true;
            done = true;
        }
    }

    /// The event, which stays valid until [#leave], or 0 if the outcome is already known.
    private synchronized long enter() {
        if (done) {
            return 0;
        }
        users++;
        return event;
    }

    private synchronized void leave(int status, @Nullable HmmException broken) {
        if (!done && (status <= 0 || broken != null)) {
            if (broken != null) {
                failure = broken;
            } else if (status < 0) {
                failure = ClStatus.failure(status, call, detail.get());
            } else {
                nanos = queue.nanos(event, asked);
            }
            done = true;
        }
        users--;
        if (users == 0 && done && !givenUp) {
            release();
        }
    }

    private void release() {
        try {
            queue.api().releaseEvent(event);
        } catch (HmmException e) {
            // The outcome is known and this is not part of it; what is lost is one event object.
            LOG.warn("an event is not released: call={}", call, e);
        }
    }
}
