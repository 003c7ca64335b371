package io.github.hmm4j.mirror;

import io.github.hmm4j.space.PageRange;
import java.util.List;
import java.util.Optional;

/// The launches that have been published and are not known to have ended: one half of the handshake in the package documentation.
///
/// Threads: any.
public interface InFlight {

    /// Waits for every launch that uses a page of `range`; call it after claiming the pages.
    ///
    /// @param writersOnly wait only for those that may write
    void awaitConflicts(PageRange range, boolean writersOnly);

    /// Waits for every launch on one device that uses a page of `range`, so that its frames can be used for something else.
    void awaitUsesOn(int device, PageRange range);

    /// The pages that launches use which are still running on a device, at one moment. Never waits.
    List<PageRange> usedOn(int device);

    /// Finds out which launches have ended that use a page of `range`: what one that failed was to write is poisoned then. Whoever waits for a launch, or touches what it uses, finds it out by himself. Never waits.
    void noteEnds(PageRange range);

    /// Launches that were ever enqueued on a device. If it has not changed, nobody has launched there.
    long launchedOn(int device);

    /// Why the last launch known to have failed did that was to write a page, for people; only the last few are kept.
    Optional<String> failureOf(long page);

    /// Waits for everything.
    void awaitAll();
}
