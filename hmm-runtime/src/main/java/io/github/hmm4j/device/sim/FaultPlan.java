package io.github.hmm4j.device.sim;

import java.util.EnumMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/// Counts the calls of each operation and knows which of them are to fail.
final class FaultPlan {

    private final Map<Operation, Long> calls = new EnumMap<>(Operation.class);
    private final Set<Call> doomed = new HashSet<>();
    private final Map<Operation, Long> allUpTo = new EnumMap<>(Operation.class); // all calls up to this number

    private record Call(Operation operation, long number) {}

    /// Counts one call; true if it is to fail.
    synchronized boolean strikes(Operation operation) {
        long number = calls.merge(operation, 1L, Long::sum);
        boolean single = doomed.remove(new Call(operation, number));
        return single || number <= allUpTo.getOrDefault(operation, 0L);
    }

    /// Dooms one call, counted from now: 1 is the next.
    synchronized void failAt(Operation operation, long nth) {
        if (nth <= 0) {
            throw new IllegalArgumentException("nth=" + nth + ", must be positive: 1 is the next call");
        }
        doomed.add(new Call(Objects.requireNonNull(operation, "operation"), calls(operation) + nth));
    }

    /// Dooms the next calls.
    synchronized void failNext(Operation operation, int count) {
        if (count < 0) {
            throw new IllegalArgumentException("count=" + count + ", must not be negative");
        }
        allUpTo.merge(Objects.requireNonNull(operation, "operation"), calls(operation) + count, Math::max);
    }

    synchronized void clear() {
        doomed.clear();
        allUpTo.clear();
    }

    synchronized long calls(Operation operation) {
        return calls.getOrDefault(operation, 0L);
    }
}
