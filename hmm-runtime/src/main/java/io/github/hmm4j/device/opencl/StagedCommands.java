package io.github.hmm4j.device.opencl;

/// The commands of one transfer, in the order of their queue, and what each of them moves.
///
/// Has room for all of them before the first is enqueued, so that noting one takes nothing from the Java heap: an event that nobody knows is never released.
final class StagedCommands {

    private final long[] events;
    private final long[] bytes;
    private int count;

    /// @param most commands that may come
    StagedCommands(int most) {
        events = new long[most];
        bytes = new long[most];
    }

    /// @param movedBytes that the bus is said to have carried; 0 for a command that only prepares
    void add(long event, long movedBytes) {
        events[count] = event;
        bytes[count] = movedBytes;
        count++;
    }

    boolean isEmpty() {
        return count == 0;
    }

    /// For [ClQueue#submit] alone, which takes them over.
    long[] events() {
        return events;
    }

    int count() {
        return count;
    }

    long bytesOf(int command) {
        return bytes[command];
    }
}
