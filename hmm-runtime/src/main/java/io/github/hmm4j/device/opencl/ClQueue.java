package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.error.HmmException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Supplier;

/// An in-order queue, and the completions of it that nobody has seen the end of.
///
/// Somebody who launches and never waits must not collect events without end: every new completion looks at the two
/// oldest. The queue is in order, so the oldest end first.
final class ClQueue {

    private static final int LOOKS_PER_SUBMIT = 2;

    private final ClApi api;
    private final long handle;
    private final boolean profiling;
    private final Deque<ClCompletion> running = new ArrayDeque<>();

    ClQueue(ClApi api, long context, long device, boolean profiling) {
        this.api = api;
        this.profiling = profiling;
        this.handle = api.createQueue(context, device, profiling);
    }

    ClApi api() {
        return api;
    }

    long handle() {
        return handle;
    }

    /// Takes over the event of a command just enqueued and flushes the queue.
    ///
    /// Never throws: the command is in the queue, so whatever goes wrong from here on is its outcome.
    ClCompletion submit(long event, String call, Supplier<String> detail) {
        return submitAll(List.of(event), call, detail)[0];
    }

    /// The same for several commands, of which none may fail unseen: the specification does not say that a command ends badly because one before it did.
    Completion submit(List<Long> events, String call, Supplier<String> detail) {
        ClCompletion[] completions = submitAll(events, call, detail);
        return completions.length == 1 ? completions[0] : new ClBatch(completions);
    }

    private ClCompletion[] submitAll(List<Long> events, String call, Supplier<String> detail) {
        ClCompletion[] completions = new ClCompletion[events.size()];
        synchronized (running) {
            for (int i = 0; i < completions.length; i++) {
                for (int look = 0; look < LOOKS_PER_SUBMIT && !running.isEmpty() && running.getFirst().isDone(); look++) {
                    running.removeFirst();
                }
                completions[i] = new ClCompletion(this, events.get(i), call, detail);
                running.addLast(completions[i]);
            }
        }
        try {
            api.flush(handle);
        } catch (HmmException e) {
            // Waiting for the queue sets it going, too. If not even that works, nobody will see these commands end.
            if (new Cleanup(e).run(this::finish).count() > 1) {
                for (ClCompletion completion : completions) {
                    completion.fail(e);
                }
            }
        }
        return completions;
    }

    void finish() {
        api.finish(handle);
    }

    /// Waits for everything enqueued on the way out of `failure`; a second failure is suppressed in it.
    void finishAfter(RuntimeException failure) {
        new Cleanup(failure).run(this::finish);
    }

    /// Device time of an event that has ended well, or -1.
    long nanos(long event) {
        if (!profiling) {
            return -1;
        }
        try {
            return api.eventTime(event, Cl.PROFILING_COMMAND_END) - api.eventTime(event, Cl.PROFILING_COMMAND_START);
        } catch (HmmException _) {
            return -1; // some drivers know no time for some commands; the command itself has ended well
        }
    }

    /// Waits for all and lets all events go; the queue itself stays.
    void drain() {
        var cleanup = new Cleanup().run(this::finish);
        synchronized (running) {
            for (ClCompletion completion : running) {
                if (!completion.isDone()) {
                    completion.fail(cleanup.failure() instanceof HmmException e ? e
                            : ClStatus.failure(-36, "clFinish", "an event had not ended after it"));
                }
            }
            running.clear();
        }
        cleanup.end();
    }

    void release() {
        api.releaseQueue(handle);
    }
}
