package io.github.hmm4j.device.sim;

import java.util.EnumMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/// Counts the calls of each operation and knows which of them are to fail.
final class FaultPlan {

    private final Map<Operation, Long> calls = new EnumMap<>(Operation.class);
    private final Set<Call> doomed = new HashSet<>();

    private record Call(Operation operation, long number) {}

    /// Counts one call; true if it is to fail.
    synchronized boolean strikes(Operation operation) {
        long number = calls.merge(operation, 1L, Long::sum);
        return doomed.remove(new Call(operation, number));
    }

    /// Dooms one call, counted from now: 1 is the next.
    synchronized void failAt(Operation operation, long nth) {
        if (nth <= 0) {
            throw new IllegalArgumentException("nth=" + nth + ", must be positive: 1 is the next call");
        }
        doomed.add(new Call(operation, calls(operation) + nth));
    }

    synchronized void clear() {
        doomed.clear();
    }

    synchronized long calls(Operation operation) {
        return calls.getOrDefault(operation, 0L);
    }
}
