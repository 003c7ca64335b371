package io.github.hmm4j.mirror;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/// The sequence number of one heap: even while nobody's range is being invalidated, odd from the first invalidation
/// that concerns a subscription until the last one in progress has ended.
///
/// Invalidations that begin while nobody subscribes are only counted ([#beginQuiet()]), so that whoever subscribes
/// meanwhile can wait for them.
///
/// Its lock guards everything but that count. It is a leaf: nothing is called while it is held, except by the
/// conditions given to it.
final class InvalidationSequence {

    final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final AtomicInteger quiet = new AtomicInteger();
    private final AtomicInteger waiters = new AtomicInteger();
    private long number = 2;
    private int active;

    // ---- invalidations that nobody asked to hear of

    void beginQuiet() {
        quiet.getAndIncrement();
    }

    /// Pairs with [#await(BooleanSupplier)]: that announces itself and then looks at the count, this counts and then
    /// looks for waiters.
    void endQuiet() {
        if (quiet.decrementAndGet() == 0 && waiters.get() != 0) {
            lock.lock();
            try {
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    boolean isQuiet() {
        return quiet.get() == 0;
    }

    // ---- all others; the lock is held

    /// One more invalidation is in progress. If it concerns a subscription the number becomes odd.
    ///
    /// @return the number
    long begin(boolean concernsAnybody) {
        active++;
        if (concernsAnybody) {
            number |= 1;
        }
        return number;
    }

    void end() {
        active--;
        if (active == 0 && (number & 1) == 1) {
            number++;
            changed.signalAll();
        }
    }

    /// The number a subscription made now starts with. While an invalidation is in progress that is the present, odd
    /// one, so that its readers wait: the invalidation has begun without it.
    long firstNumber() {
        if (active == 0) {
            return number - 1;
        }
        number |= 1;
        return number;
    }

    long number() {
        return number;
    }

    /// Waits, not cut short by an interrupt, with the lock released meanwhile.
    void await(BooleanSupplier condition) {
        waiters.getAndIncrement();
        try {
            while (!condition.getAsBoolean()) {
                changed.awaitUninterruptibly();
            }
        } finally {
            waiters.getAndDecrement();
        }
    }

    /// Something a waiter may look at has changed.
    void signal() {
        changed.signalAll();
    }
}
