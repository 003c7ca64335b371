package io.github.hmm4j.migrate;

import io.github.hmm4j.space.ShareLock;

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

    private final ShareLock lock = new ShareLock();
    private final Hold shared = lock::unshare; // made before they are needed: a lock that is taken is held, also when the Java heap is full
    private final Hold exclusive = lock::leave;

    public Hold shared() {
        lock.share();
        return shared;
    }

    /// May be held together with [#shared()] by the thread that has this one already, not the other way round.
    public Hold exclusive() {
        lock.takeAlone();
        return exclusive;
    }
}
