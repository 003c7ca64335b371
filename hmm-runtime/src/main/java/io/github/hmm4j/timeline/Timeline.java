package io.github.hmm4j.timeline;

import io.github.hmm4j.account.Accounts;
import io.github.hmm4j.account.Counter;
import org.jspecify.annotations.Nullable;

/// Where the parts of one heap report what they do.
///
/// Each method gives out an event that has just begun, or null if nobody wants to hear of its kind. Who gets one says what it is and gives it back to [#end], also if things
/// went wrong. Threads: any; an event belongs to one at a time.
public final class Timeline {

    private final Accounts accounts;
    private final TraceFile.@Nullable Part trace;

    /// @param trace where everything goes that is reported; null for the flight recorder alone
    public Timeline(Accounts accounts, TraceFile.@Nullable Part trace) {
        this.accounts = accounts;
        this.trace = trace;
    }

    public @Nullable LaunchEvent launch() {
        return trace != null || LaunchEvent.PROBE.isEnabled() ? begun(new LaunchEvent()) : null;
    }

    public @Nullable ReplayEvent replay() {
        return trace != null || ReplayEvent.PROBE.isEnabled() ? begun(new ReplayEvent()) : null;
    }

    public @Nullable MigrationEvent migration() {
        return trace != null || MigrationEvent.PROBE.isEnabled() ? begun(new MigrationEvent()) : null;
    }

    public @Nullable EvictionEvent eviction() {
        return trace != null || EvictionEvent.PROBE.isEnabled() ? begun(new EvictionEvent()) : null;
    }

    public @Nullable FetchEvent fetch() {
        return trace != null || FetchEvent.PROBE.isEnabled() ? begun(new FetchEvent()) : null;
    }

    /// Whether native code shall keep records of what it serves, for [FaultEvent] and [BatchEvent].
    public boolean wantsServed() {
        return trace != null || FaultEvent.PROBE.isEnabled() || BatchEvent.PROBE.isEnabled();
    }

    public boolean wantsLongTouches() {
        return trace != null || LongTouchEvent.PROBE.isEnabled();
    }

    public boolean wantsCommands() {
        return trace != null || CommandEvent.PROBE.isEnabled();
    }

    public boolean wantsResidency() {
        return trace != null || ResidencyEvent.PROBE.isEnabled();
    }

    /// Whether there is a trace file, which wants everything.
    public boolean isTraced() {
        return trace != null;
    }

    /// It is over now. Never fails: what is told has happened, and telling must not stop whoever did it.
    public void end(TimelineEvent event) {
        event.ends();
        deliver(event);
    }

    /// It is over since a while.
    public void happened(TimelineEvent event, long fromNanos, long toNanos) {
        event.happened(fromNanos, toNanos);
        deliver(event);
    }

    /// So many happenings will never be told of.
    public void lost(long count) {
        accounts.add(Counter.TRACE_LOST, count);
        if (trace != null) {
            trace.lost(count);
        }
    }

    private void deliver(TimelineEvent event) {
        try {
            if (event.shouldCommit()) {
                event.commit();
            }
            if (trace != null && !trace.offer(event)) {
                accounts.increment(Counter.TRACE_LOST);
            }
        } catch (OutOfMemoryError e) {
            accounts.increment(Counter.TRACE_LOST);
        }
    }

    private static <E extends TimelineEvent> E begun(E event) {
        event.begins();
        return event;
    }
}
