package io.github.hmm4j.timeline;

/// Brings the clock of a device together with `System.nanoTime`.
///
/// OpenCL promises that a device's time stamps are nanoseconds, and nothing about when its clock was 0. So the offset is bounded by what must be true of each command: it
/// was queued after the call that enqueued it began and before that returned, and it ended before somebody saw its end. Every command narrows the bounds, and times
/// converted keep that order. Where the clocks drift apart the bounds contradict each other one day; then those of the newest command are believed.
///
/// Threads: any.
public final class DeviceClock {

    private long lowest = Long.MIN_VALUE;
    private long highest = Long.MAX_VALUE;
    private long offset;

    /// A command that has ended. All but the stamps of the device are host times.
    ///
    /// @param before    when the call that enqueued it began
    /// @param queued    the device's stamp of when that was
    /// @param after     when that call had returned
    /// @param ended     the device's stamp of the end
    /// @param seenEnded a moment at which the end was known
    public synchronized void saw(long before, long queued, long after, long ended, long seenEnded) {
        long low = before - queued;
        long high = Math.max(low, Math.min(after - queued, seenEnded - ended));
        boolean first = lowest == Long.MIN_VALUE;
        lowest = Math.max(lowest, low);
        highest = Math.min(highest, high);
        if (lowest > highest) {
            lowest = low;
            highest = high;
        }
        if (first || offset < lowest || offset > highest) {
            offset = lowest + (highest - lowest) / 2; // else it stays: times that were converted with it fit those to come
        }
    }

    /// A stamp of the device as host time.
    public synchronized long toHost(long stamp) {
        return stamp + offset;
    }

    /// By how much [#toHost] can be wrong at most.
    public synchronized long errorNanos() {
        return Math.max(offset - lowest, highest - offset);
    }
}
