package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.error.HmmException;
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

    private long event;
    /// Threads inside a call on the event: it is not released under them.
    private int users;

    private @Nullable HmmException failure;
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
        look(false);
        return done;
    }

    @Override
    public void await() {
        look(true);
        if (failure != null) {
            throw failure;
        }
    }

    private void look(boolean wait) {
        long handle = enter();
        if (handle == 0) {
            return;
        }
        int status = 1;
        HmmException broken = null;
        try {
            if (wait) {
                queue.api().waitFor(handle);
            }
            status = queue.api().eventStatus(handle);
        } catch (HmmException e) {
            // That we cannot ask does not mean that it failed. Callers act on the answer, so wait for the whole queue.
            try {
                queue.finish();
                status = queue.api().eventStatus(handle);
            } catch (HmmException second) {
                e.addSuppressed(second);
                broken = e;
            }
        } finally {
            leave(status, broken);
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
    void fail(HmmException reason) {
        if (enter() != 0) {
            leave(1, reason);
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
        if (users == 0 && done) {
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
