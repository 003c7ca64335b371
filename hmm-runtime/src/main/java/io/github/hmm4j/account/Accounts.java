package io.github.hmm4j.account;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/// The running totals of one heap.
public final class Accounts {

    private static final int DIRECTIONS = Direction.values().length;

    private final LongAdder[] counters = adders(Counter.values().length);
    private final LongAdder[] pages = adders(Cause.values().length * DIRECTIONS);
    private final LongAdder[] bytes = adders(Cause.values().length * DIRECTIONS);

    public void add(Counter counter, long amount) {
        if (amount != 0) {
            add(counters[counter.ordinal()], amount);
        }
    }

    public void increment(Counter counter) {
        add(counters[counter.ordinal()], 1);
    }

    /// Never fails: what is counted has happened, and counting must not stop whoever did it. An adder that many threads use wants memory now and then; if there is none, the count is lost.
    private static void add(LongAdder adder, long amount) {
        try {
            adder.add(amount);
        } catch (OutOfMemoryError e) {
            return;
        }
    }

    /// Records pages that changed place.
    ///
    /// @param bytesCopied bytes that really crossed; less than the pages' size where pages were filled, dead or shared
    public void moved(Cause cause, Direction direction, long pageCount, long bytesCopied) {
        int slot = slot(cause, direction);
        add(pages[slot], pageCount);
        add(bytes[slot], bytesCopied);
    }

    public long count(Counter counter) {
        return counters[counter.ordinal()].sum();
    }

    public long pagesMoved(Cause cause, Direction direction) {
        return pages[slot(cause, direction)].sum();
    }

    public long bytesMoved(Cause cause, Direction direction) {
        return bytes[slot(cause, direction)].sum();
    }

    /// Bytes copied one way for all causes.
    public long bytesMoved(Direction direction) {
        long sum = 0;
        for (Cause cause : Cause.values()) {
            sum += bytesMoved(cause, direction);
        }
        return sum;
    }

    /// All counters at one moment. Not atomic between counters.
    public Map<Counter, Long> counts() {
        Map<Counter, Long> counts = new EnumMap<>(Counter.class);
        for (Counter counter : Counter.values()) {
            counts.put(counter, count(counter));
        }
        return counts;
    }

    private static int slot(Cause cause, Direction direction) {
        return cause.ordinal() * DIRECTIONS + direction.ordinal();
    }

    private static LongAdder[] adders(int count) {
        LongAdder[] adders = new LongAdder[count];
        for (int i = 0; i < count; i++) {
            adders[i] = new LongAdder();
        }
        return adders;
    }
}
