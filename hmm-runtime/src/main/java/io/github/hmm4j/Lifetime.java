package io.github.hmm4j;

import java.util.concurrent.locks.ReentrantReadWriteLock;

/// Keeps native memory alive while somebody uses it: every call on a heap happens within its lifetime, and closing waits for the calls under way.
final class Lifetime {

    /// Ends with `close`.
    @FunctionalInterface
    interface Hold extends AutoCloseable {
        @Override
        void close();
    }

    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private volatile boolean ended;

    /// @throws IllegalStateException after the end
    Hold use() {
        lock.readLock().lock();
        if (ended) {
            lock.readLock().unlock();
            throw new IllegalStateException("the heap is closed");
        }
        return lock.readLock()::unlock;
    }

    /// Waits for calls under way and refuses new ones.
    ///
    /// @return false if it had ended before
    boolean end() {
        lock.writeLock().lock();
        try {
            boolean first = !ended;
            ended = true;
            return first;
        } finally {
            lock.writeLock().unlock();
        }
    }
}
