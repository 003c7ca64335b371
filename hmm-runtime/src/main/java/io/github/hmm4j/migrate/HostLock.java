package io.github.hmm4j.migrate;

import java.util.concurrent.locks.ReentrantReadWriteLock;

/// The lock between those who bring pages home and those who must not be disturbed by that.
///
/// Shared: fetching, opening views, evicting, relocating: everything that makes a `TO_HOST` claim. Exclusive: freeing, protecting, moving and discarding regions, and the
/// last resort of a launch that lost its pages to the host several times in a row. So under the exclusive lock no page is claimed for the host and none becomes so.
public final class HostLock {

    /// Held while `close` has not been called.
    @FunctionalInterface
    public interface Hold extends AutoCloseable {
        @Override
        void close();
    }

    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

    public Hold shared() {
        lock.readLock().lock();
        return lock.readLock()::unlock;
    }

    /// May be held together with [#shared()] by the thread that has this one already, not the other way round.
    public Hold exclusive() {
        if (lock.getReadHoldCount() > 0) {
            throw new IllegalStateException("the host lock cannot go from shared to exclusive");
        }
        lock.writeLock().lock();
        return lock.writeLock()::unlock;
    }
}
