package io.github.hmm4j.mirror;

import io.github.hmm4j.space.VaRange;
import java.util.concurrent.locks.ReentrantLock;

/// One mirror's interest in a range. See [Notifier] for the protocol.
///
/// Threads: any. Several readers may be under way at once.
public final class Subscription implements AutoCloseable {

    private final Notifier notifier;
    private final VaRange range;
    private final ReentrantLock lock;
    private final InvalidationCallback callback;
    // Always odd. Written with the subscription's lock held; volatile for those who look without it.
    private volatile long number;
    // Guarded by the sequence's lock.
    int callbacks;
    boolean settled;     // changes that began before the subscription have ended
    boolean closed;

    Subscription(Notifier notifier, VaRange range, ReentrantLock lock, InvalidationCallback callback, long number) {
        this.notifier = notifier;
        this.range = range;
        this.lock = lock;
        this.callback = callback;
        this.number = number;
    }

    public VaRange range() {
        return range;
    }

    /// The mirror's own lock, as given.
    public ReentrantLock lock() {
        return lock;
    }

    /// Starts looking at pages. Waits while an invalidation that reached this subscription is in progress; the number
    /// may be old already when it returns.
    ///
    /// @throws IllegalStateException within a callback or with [#lock()] held, where it would wait for itself
    public long readBegin() {
        return notifier.readBegin(this);
    }

    /// Whether looking further is in vain. A hint, without the lock: false promises nothing.
    public boolean checkRetry(long seq) {
        return number != seq;
    }

    /// Whether what was seen since `readBegin` returned `seq` must be thrown away.
    ///
    /// @throws IllegalStateException unless [#lock()] is held: without it the answer is worth nothing
    public boolean readRetry(long seq) {
        if (!lock.isHeldByCurrentThread()) {
            throw new IllegalStateException("readRetry of " + range + " without the subscription's lock");
        }
        return number != seq;
    }

    long number() {
        return number;
    }

    void invalidate(Invalidation event, long now) {
        number = now;
        callback.invalidate(event);
    }

    /// Unsubscribes; waits for a callback that is running. Idempotent.
    ///
    /// @throws IllegalStateException within a callback or with [#lock()] held, where it would wait for itself
    @Override
    public void close() {
        notifier.remove(this);
    }
}
