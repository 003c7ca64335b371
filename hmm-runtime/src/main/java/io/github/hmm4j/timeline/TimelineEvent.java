package io.github.hmm4j.timeline;

import jdk.jfr.Category;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/// Something that happened, as the flight recorder and the trace file take it.
///
/// Off unless a recording asks for it, so that one that is always on does not change. The flight recorder has no way to say that something began earlier: what is reported after
/// the fact, by native code or by a device, carries its own times as fields. Used by one thread at a time.
@Category("hmm4j")
@Enabled(false)
@StackTrace(false)
public abstract sealed class TimelineEvent extends Event
        permits CommandEvent, EvictionEvent, FetchEvent, LaunchEvent, LongTouchEvent, MigrationEvent, ReplayEvent, ResidencyEvent, ServedEvent {

    /// In a field with a unit: not known.
    static final long UNKNOWN = Long.MIN_VALUE;

    private transient long beganNanos;
    private transient long endedNanos;
    private transient @Nullable Thread by;

    final void begins() {
        by = Thread.currentThread();
        begin();
        beganNanos = System.nanoTime();
    }

    final void ends() {
        endedNanos = System.nanoTime();
        end();
    }

    /// It happened then, and is over.
    final void happened(long fromNanos, long toNanos) {
        beganNanos = fromNanos;
        endedNanos = toNanos;
    }

    final long beganNanos() {
        return beganNanos;
    }

    final long endedNanos() {
        return endedNanos;
    }

    /// The thread of Java that did it; null if it was none.
    final @Nullable Thread by() {
        return by;
    }
}
