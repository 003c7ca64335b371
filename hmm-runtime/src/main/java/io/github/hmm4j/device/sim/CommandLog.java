package io.github.hmm4j.device.sim;

import io.github.hmm4j.timeline.CommandEvent;
import io.github.hmm4j.timeline.Timeline;
import java.util.concurrent.atomic.AtomicLong;

/// Numbers a simulated device's commands and tells a timeline of their ends. Its clock is the host's.
final class CommandLog {

    private final Timeline timeline;
    private final int device;
    private final String deviceName;
    private final AtomicLong numbers = new AtomicLong();

    CommandLog(Timeline timeline, int device, String deviceName) {
        this.timeline = timeline;
        this.device = device;
        this.deviceName = deviceName;
    }

    /// The next number, or 0 if nobody wants to know.
    long next() {
        return timeline.wantsCommands() ? numbers.incrementAndGet() : 0;
    }

    void ended(long number, LaneQueue.Task task, long queued, long start, long end) {
        CommandEvent event = new CommandEvent();
        event.of(number, task.kind(), task.name(), device, deviceName, task.bytes());
        event.times(queued, start, end, 0);
        timeline.happened(event, start, end);
    }
}
