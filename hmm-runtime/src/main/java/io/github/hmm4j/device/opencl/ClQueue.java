package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.Completion;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.space.ShareLock;
import io.github.hmm4j.timeline.CommandEvent;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntFunction;
import java.util.function.IntToLongFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// An in-order queue, and the completions of it that nobody has seen the end of.
///
/// Somebody who launches and never waits must not collect events without end: every new completion looks at the two
/// oldest. The queue is in order, so the oldest end first.
final class ClQueue {

    private static final Logger LOG = LoggerFactory.getLogger(ClQueue.class);

    private static final int LOOKS_PER_SUBMIT = 2;
    private static final long NAP_NANOS = 100_000;

    private final ClApi api;
    private final long context;
    private final long device;
    private final String deviceName;
    private volatile long handle;
    private volatile boolean profiling;
    /// Shared to enqueue where times may come to be wanted, taken alone to replace the queue by one that keeps them.
    private final ShareLock enqueuing = new ShareLock();
    private boolean timesOnDemand;
    private final Deque<ClCompletion> running = new ArrayDeque<>();
    private volatile @Nullable CommandLog log;

    /// @param deviceName    what failures name
    /// @param profiling     whether it keeps times
    /// @param timesOnDemand whether it begins to if a timeline wants them ([#share])
    ClQueue(ClApi api, long context, long device, String deviceName, boolean profiling, boolean timesOnDemand) {
        this.api = api;
        this.context = context;
        this.device = device;
        this.deviceName = deviceName;
        this.profiling = profiling;
        this.timesOnDemand = timesOnDemand;
        this.handle = api.createQueue(context, device, profiling);
    }

    ClApi api() {
        return api;
    }

    long handle() {
        return handle;
    }

    void reportTo(CommandLog reportTo) {
        log = reportTo;
    }

    /// Before the first use of [#handle] for a command, until it is submitted: the queue is not replaced meanwhile. The
    /// first who enqueues after a timeline has begun to want times replaces it, and waits for what is in it.
    void share() {
        if (isTimeWanted()) {
            keepTimes();
        }
        enqueuing.share();
    }

    /// Gives one [#share] back.
    void unshare() {
        enqueuing.unshare();
    }

    private boolean isTimeWanted() {
        CommandLog asked = log;
        return !profiling && asked != null && asked.isWanted();
    }

    private void keepTimes() {
        enqueuing.takeAlone();
        try {
            if (!timesOnDemand) {
                return;
            }
            timesOnDemand = false; // what fails would fail again
            long timed = api.createQueue(context, device, true);
            try {
                endAll();
            } catch (RuntimeException | Error e) {
                new Cleanup(e).run(() -> api.releaseQueue(timed));
                throw e;
            }
            long untimed = handle;
            handle = timed;
            profiling = true;
            api.releaseQueue(untimed);
        } catch (HmmException e) {
            LOG.warn("kernels are not timed", named(e));
        } finally {
            enqueuing.leave();
        }
    }

    /// Another queue comes after this one: in order are the commands of one queue only.
    private void endAll() {
        finish();
        synchronized (running) {
            running.forEach(ClQueue::endQuietly); // at once, unless the driver does not wait for all when it finishes
        }
    }

    /// To be asked before something is enqueued that a timeline may want to hear of.
    ///
    /// @return the time, or 0 if none does
    long mark() {
        CommandLog asked = log;
        return asked != null && profiling && asked.isWanted() ? System.nanoTime() : 0;
    }

    /// Takes over the event of a command just enqueued and flushes the queue.
    ///
    /// Throws nothing but an [OutOfMemoryError], and then the command has ended and its event is released: it is in the queue, so whatever else goes wrong from here on is its outcome.
    ClCompletion submit(long event, String call, Supplier<String> detail) {
        return submit(event, call, detail, 0, CommandEvent.Kind.KERNEL, call, 0);
    }

    /// The same, for a timeline.
    ///
    /// @param mark of [#mark]
    ClCompletion submit(long event, String call, Supplier<String> detail, long mark, CommandEvent.Kind kind, String name, long bytes) {
        long[] events = alone(event);
        try {
            ClCompletion[] completions = takeOver(events, 1, call, detail, asked(mark, kind, name, _ -> bytes));
            flush();
            return completions[0];
        } catch (OutOfMemoryError e) {
            throw finished(e, events, 1);
        }
    }

    /// The same for a kernel that native code has enqueued, and flushed.
    ClCompletion submitFlushed(long event, String call, Supplier<String> detail, long mark, String kernel) {
        long[] events = alone(event);
        try {
            return takeOver(events, 1, call, detail, asked(mark, CommandEvent.Kind.KERNEL, kernel, _ -> 0))[0];
        } catch (OutOfMemoryError e) {
            throw finished(e, events, 1);
        }
    }

    /// The same for several commands, of which none may fail unseen: the specification does not say that a command ends badly because one before it did.
    ///
    /// @param events of which the first `count` are taken over, each replaced by 0
    Completion submit(long[] events, int count, String call, Supplier<String> detail) {
        return submit(events, count, call, detail, 0, CommandEvent.Kind.KERNEL, _ -> 0);
    }

    /// The same, for a timeline.
    ///
    /// @param mark  of [#mark]
    /// @param bytes that each command moves, by its index
    Completion submit(long[] events, int count, String call, Supplier<String> detail, long mark, CommandEvent.Kind kind, IntToLongFunction bytes) {
        try {
            ClCompletion[] completions = takeOver(events, count, call, detail, asked(mark, kind, call, bytes));
            flush();
            return together(completions);
        } catch (OutOfMemoryError e) {
            throw finished(e, events, count);
        }
    }

    private long[] alone(long event) {
        try {
            return new long[] {event};
        } catch (OutOfMemoryError e) {
            finishSurely();
            release(event);
            throw e;
        }
    }

    /// Nobody could wait for commands that nobody knows.
    private OutOfMemoryError finished(OutOfMemoryError e, long[] events, int count) {
        finishSurely();
        release(events, count);
        return e;
    }

    /// Lets events go that came to have no completion; those that have been taken over are 0.
    void release(long[] events, int count) {
        for (int i = 0; i < count; i++) {
            if (events[i] != 0) {
                release(events[i]);
                events[i] = 0;
            }
        }
    }

    private void release(long event) {
        try {
            api.releaseEvent(event);
        } catch (HmmException | OutOfMemoryError _) {
            return; // what is lost is one event object, on the way out of a failure that is told
        }
    }

    /// What to tell of commands when they have ended; null for nothing.
    private @Nullable IntFunction<CommandLog.Entry> asked(long mark, CommandEvent.Kind kind, String name, IntToLongFunction bytes) {
        CommandLog toTell = log;
        return mark == 0 || toTell == null ? null : i -> toTell.enqueued(kind, name, bytes.applyAsLong(i), mark);
    }

    /// Tells a timeline of a copy that the calling thread has made in place of a command.
    ///
    /// @param mark of [#mark], from before it
    void madeHere(long mark, CommandEvent.Kind kind, long bytes) {
        CommandLog toTell = log;
        if (mark != 0 && toTell != null) {
            toTell.madeHere(kind, bytes, mark);
        }
    }

    private static Completion together(ClCompletion[] completions) {
        return completions.length == 1 ? completions[0] : new ClBatch(completions);
    }

    /// An event is 0 as soon as a completion among those that run has it.
    private ClCompletion[] takeOver(long[] events, int count, String call, Supplier<String> detail, @Nullable IntFunction<CommandLog.Entry> asked) {
        ClCompletion[] completions = new ClCompletion[count];
        synchronized (running) {
            for (int i = 0; i < count; i++) {
                for (int look = 0; look < LOOKS_PER_SUBMIT && !running.isEmpty() && running.getFirst().isDone(); look++) {
                    running.removeFirst();
                }
                completions[i] = new ClCompletion(this, events[i], call, detail, asked == null ? null : asked.apply(i));
                running.addLast(completions[i]);
                events[i] = 0;
            }
        }
        return completions;
    }

    private void flush() {
        try {
            api.flush(handle);
        } catch (HmmException e) {
            // Waiting for the queue sets it going, too. If not even that works, whoever waits for one of its commands tries again.
            new Cleanup(e).run(this::finish);
        }
    }

    /// Whether all that was submitted is known to have ended.
    boolean isIdle() {
        synchronized (running) {
            return running.isEmpty() || running.getLast().isDone();
        }
    }

    void finish() {
        try {
            api.finish(handle);
        } catch (HmmException e) {
            throw named(e);
        }
    }

    HmmException named(HmmException e) {
        return ClStatus.on(deviceName, e);
    }

    /// Whether the device still does something; waits for that, but not for ever.
    boolean deviceAnswers() {
        return ClProbe.answers(api, context, device, ClCompletion.PATIENCE);
    }

    /// Waits for all commands on the way out of a failure, which is told already; nothing that they use is used before they have ended. So a wait for which the Java heap has no room is made
    /// again.
    void finishSurely() {
        try {
            finishWithRoom();
        } catch (HmmException e) {
            return;
        }
    }

    private void finishWithRoom() {
        while (true) {
            try {
                finish();
                return;
            } catch (OutOfMemoryError e) {
                LockSupport.parkNanos(NAP_NANOS);
            }
        }
    }

    /// Waits for commands on the way out of a failure, whose outcome is nobody's business any more. They have ended afterwards, or are given up.
    Completion end(long[] events, int count, String call, Supplier<String> detail) {
        Completion commands = submit(events, count, call, detail);
        endQuietly(commands);
        return commands;
    }

    /// The same for commands submitted before. What they use is going to be used again, so a wait for which there is no memory is tried again.
    static void endQuietly(Completion commands) {
        while (true) {
            try {
                commands.await();
                return;
            } catch (HmmException e) {
                return; // ended, or given up
            } catch (OutOfMemoryError e) {
                LockSupport.parkNanos(NAP_NANOS);
            }
        }
    }

    /// Device time of an event that has ended well, or -1.
    ///
    /// @param asked whom to tell of its times; null for nobody
    long nanos(long event, CommandLog.@Nullable Entry asked) {
        if (!profiling) {
            return -1;
        }
        try {
            long start = api.eventTime(event, Cl.PROFILING_COMMAND_START);
            long end = api.eventTime(event, Cl.PROFILING_COMMAND_END);
            if (asked != null) {
                asked.ended(api.eventTime(event, Cl.PROFILING_COMMAND_QUEUED), start, end);
            }
            return end - start;
        } catch (HmmException _) {
            return -1; // some drivers know no time for some commands; the command itself has ended well
        }
    }

    /// Waits for all and lets all events go; the queue itself stays.
    void drain() {
        var cleanup = new Cleanup().run(this::finishWithRoom);
        synchronized (running) {
            for (ClCompletion completion : running) {
                if (cleanup.failure() == null) {
                    endQuietly(completion); // at once, unless the driver does not wait for all when it finishes
                }
                if (!completion.isDone()) {
                    completion.fail(cleanup.failure() instanceof HmmException e ? e
                            : named(ClStatus.failure(-36, "clFinish", "an event had not ended after it")));
                }
            }
            running.clear();
        }
        cleanup.end();
    }

    void release() {
        try {
            api.releaseQueue(handle);
        } catch (HmmException e) {
            throw named(e);
        }
    }
}
