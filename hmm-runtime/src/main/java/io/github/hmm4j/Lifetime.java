package io.github.hmm4j;

import java.util.concurrent.atomic.AtomicBoolean;
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
    private final AtomicBoolean ended = new AtomicBoolean();

    /// @throws IllegalStateException after the end
    Hold use() {
        requireOpen(); // not behind somebody who waits for calls under way, which may wait for this thread
        lock.readLock().lock();
        if (ended.get()) {
            lock.readLock().unlock();
        }
        requireOpen();
        return lock.readLock()::unlock;
    }

    private void requireOpen() {
        if (ended.get()) {
            throw new IllegalStateException("the heap is closed");
        }
    }

    /// Waits for calls under way and refuses new ones.
    ///
    /// @return false if it had ended before
    /// @throws IllegalStateException within a call, for which it would wait for ever
    boolean end() {
        if (lock.getReadHoldCount() > 0) {
            throw new IllegalStateException("the heap cannot be closed within one of its own calls, such as a callback");
        }
        boolean first = ended.compareAndSet(false, true);
        lock.writeLock().lock(); // calls under way have ended when it is got
        try {
            return first;
        } finally {
            lock.writeLock().unlock();
        }
    }
}
