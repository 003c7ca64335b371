package io.github.hmm4j.mirror;

/// What a mirror does when something it may have copied is about to change.
///
/// Called with the subscription's lock held, in the thread that makes the change, before the change. On return the
/// mirror must no longer use what it knows of the range. It may wait for the mirror's own work, but not for a reader of
/// the mirror, and must not unsubscribe. Of its own heap it may call what looks; what changes it (launches, moves,
/// views, allocations) throws an [IllegalStateException]. An exception is logged and does not stop the change.
@FunctionalInterface
public interface InvalidationCallback {
    void invalidate(Invalidation event);
}
