package io.github.hmm4j.pager;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.hmm4j.account.Accounts;
import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.account.Direction;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Brings what native code has counted into a heap's accounts.
final class NativeCounts {

    /// In the order of `enum hmm_counter`.
    private static final Counter[] COUNTERS = {
        Counter.FAULTS_READ, Counter.FAULTS_WRITE, Counter.FAULT_MESSAGES, Counter.FAULT_FIRST_TOUCHES, Counter.FAULT_UPGRADES, Counter.FAULT_REMAPPED,
        Counter.FAULT_ABORTS, Counter.FAULT_FETCHED_PAGES, Counter.FAULT_AHEAD, Counter.FAULT_ERRORS, Counter.FAULT_WAITS, Counter.POISONED_PAGES, Counter.MAP_NANOS,
        Counter.DEVICE_BROUGHT_READ, Counter.DEVICE_BROUGHT_WRITE, Counter.DEVICE_UPGRADES, Counter.DEVICE_AHEAD, Counter.DEVICE_AHEAD_LATE, Counter.DEVICE_EVICTED, Counter.DEVICE_WRITTEN_BACK, Counter.DEVICE_REFUSED,
        Counter.FAULT_IN_THREAD, Counter.MIGRATE_GATHERED, Counter.MIGRATE_GATHERS_GIVEN_UP
    };
    static final int COUNT = COUNTERS.length;

    private final MemorySegment counts;

    private NativeCounts(MemorySegment counts) {
        this.counts = counts;
    }

    private long of(Counter counter) {
        return counts.getAtIndex(JAVA_LONG, List.of(COUNTERS).indexOf(counter));
    }

    /// Takes what was counted since the last call.
    static void drain(long pager, Accounts accounts, int pageBytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment counts = arena.allocate(JAVA_LONG, COUNT);
            PagerCalls.takeCounts(pager, counts, COUNT);
            for (int i = 0; i < COUNT; i++) {
                accounts.add(COUNTERS[i], counts.getAtIndex(JAVA_LONG, i));
            }
            NativeCounts counted = new NativeCounts(counts);
            long fetched = counted.of(Counter.FAULT_FETCHED_PAGES);
            accounts.add(Counter.MIGRATE_TO_HOST_PAGES, fetched);
            accounts.moved(Cause.FAULT, Direction.TO_HOST, fetched + counted.of(Counter.FAULT_UPGRADES), fetched * pageBytes);
            long brought = counted.of(Counter.DEVICE_BROUGHT_READ) + counted.of(Counter.DEVICE_BROUGHT_WRITE);
            long writtenBack = counted.of(Counter.DEVICE_WRITTEN_BACK);
            accounts.add(Counter.MIGRATE_TO_DEVICE_PAGES, brought);
            accounts.add(Counter.MIGRATE_TO_HOST_PAGES, writtenBack);
            accounts.moved(Cause.DEVICE_FAULT, Direction.TO_DEVICE, brought, brought * pageBytes);
            accounts.moved(Cause.EVICTION, Direction.TO_HOST, counted.of(Counter.DEVICE_EVICTED), writtenBack * pageBytes);
        }
    }
}
