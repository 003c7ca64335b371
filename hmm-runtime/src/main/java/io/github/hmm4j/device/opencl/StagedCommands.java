package io.github.hmm4j.device.opencl;

import java.util.ArrayList;
import java.util.List;

/// The commands of one transfer, in the order of their queue, and what each of them moves.
final class StagedCommands {

    private final List<Long> events = new ArrayList<>();
    private final List<Long> bytes = new ArrayList<>();

    /// @param movedBytes that the bus is said to have carried; 0 for a command that only prepares
    void add(long event, long movedBytes) {
        bytes.add(movedBytes); // first, since an event that is in the list must have it
        events.add(event);
    }

    List<Long> events() {
        return events;
    }

    long bytesOf(int command) {
        return bytes.get(command);
    }
}
