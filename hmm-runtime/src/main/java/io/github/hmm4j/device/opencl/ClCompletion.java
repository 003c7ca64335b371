package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.error.HmmException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Owner of one event. Whoever sees the end first keeps the outcome here; the last one out releases the event.
final class ClCompletion implements Completion {

    private final ClQueue queue;
    private final String call;
    private final Supplier<String> detail;

    private long event;
    /// Threads inside a call on the event: it is not released under them.
    private int users;

    private @Nullable HmmException failure;
    private long nanos = -1;
    /// Written last, so that whoever reads true sees the outcome.
    private volatile boolean done;

    ClCompletion(ClQueue queue, long event, String call, Supplier<String> detail) {
        this.queue = queue;
        this.event = event;
        this.call = call;
        this.detail = detail;
    }

    @Override
    public boolean isDone() {
        long handle = enter();
        if (handle != 0) {
            int status = 1;
            HmmException broken = null;
            try {
                status = queue.api().eventStatus(handle);
            } catch (HmmException e) {
                broken = e;
            }
            leave(status, broken);
        }
        return done;
    }

    @Override
    public void await() {
        long handle = enter();
        if (handle != 0) {
            int status = 1;
            HmmException broken = null;
            try {
                queue.api().waitFor(handle);
                status = queue.api().eventStatus(handle);
            } catch (HmmException e) {
                // Nobody can say any more when this command ends. Callers will reuse its memory, so wait the hard way.
                broken = e;
                queue.finishAfter(e);
            }
            leave(status, broken);
        }
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public long deviceNanos() {
        return done ? nanos : -1;
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
                nanos = queue.nanos(event);
            }
            done = true;
        }
        users--;
        if (users == 0 && done) {
            queue.api().releaseEvent(event);
        }
    }
}
