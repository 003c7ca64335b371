package io.github.hmm4j.account;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/// The running totals of one heap.
public final class Accounts {

    private final LongAdder[] counters = adders(Counter.values().length);
    private final LongAdder[] pages = adders(Cause.values().length * Direction.values().length);
    private final LongAdder[] bytes = adders(Cause.values().length * Direction.values().length);

    public void add(Counter counter, long amount) {
        if (amount != 0) {
            counters[counter.ordinal()].add(amount);
        }
    }

    public void increment(Counter counter) {
        counters[counter.ordinal()].increment();
    }

    /// Records pages that changed place.
    ///
    /// @param bytesCopied bytes that really crossed; less than the pages' size where pages were filled, dead or shared
    public void moved(Cause cause, Direction direction, long pageCount, long bytesCopied) {
        int slot = slot(cause, direction);
        pages[slot].add(pageCount);
        bytes[slot].add(bytesCopied);
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
        return cause.ordinal() * Direction.values().length + direction.ordinal();
    }

    private static LongAdder[] adders(int count) {
        LongAdder[] adders = new LongAdder[count];
        for (int i = 0; i < count; i++) {
            adders[i] = new LongAdder();
        }
        return adders;
    }
}
