package io.github.hmm4j.device.opencl;

import io.github.hmm4j.timeline.CommandEvent;
import io.github.hmm4j.timeline.DeviceClock;
import io.github.hmm4j.timeline.Timeline;
import java.util.concurrent.atomic.AtomicLong;

/// Numbers a device's commands and tells a timeline of their ends, in host time. Threads: any.
final class CommandLog {

    private final Timeline timeline;
    private final int device;
    private final String deviceName;
    private final DeviceClock clock = new DeviceClock();
    private final AtomicLong numbers = new AtomicLong();

    CommandLog(Timeline timeline, int device, String deviceName) {
        this.timeline = timeline;
        this.device = device;
        this.deviceName = deviceName;
    }

    boolean isWanted() {
        return timeline.wantsCommands();
    }

    DeviceClock clock() {
        return clock;
    }

    /// A command that is on its queue, with what must be remembered until its end.
    ///
    /// @param before when the call that enqueued it began
    /// @param after  when that had returned
    record Entry(CommandLog log, long number, CommandEvent.Kind kind, String name, long bytes, long before, long after) {

        /// @param queued the device's stamps, each
        void ended(long queued, long start, long end) {
            DeviceClock clock = log.clock;
            clock.saw(before, queued, after, end, System.nanoTime());
            CommandEvent event = new CommandEvent();
            event.of(number, kind, name, log.device, log.deviceName, bytes);
            long started = clock.toHost(start);
            event.times(clock.toHost(queued), started, started + (end - start), clock.errorNanos());
            log.timeline.happened(event, started, started + (end - start));
        }
    }

    /// A copy that the calling thread has made in place of a command, from then until now.
    void madeHere(CommandEvent.Kind kind, long bytes, long began) {
        long ended = System.nanoTime();
        CommandEvent event = new CommandEvent();
        event.of(numbers.incrementAndGet(), kind, "memcpy", device, deviceName, bytes);
        event.times(began, began, ended, 0);
        timeline.happened(event, began, ended);
    }

    Entry enqueued(CommandEvent.Kind kind, String name, long bytes, long before) {
        return new Entry(this, numbers.incrementAndGet(), kind, name, bytes, before, System.nanoTime());
    }
}
