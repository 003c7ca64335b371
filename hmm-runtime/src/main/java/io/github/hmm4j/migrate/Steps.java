package io.github.hmm4j.migrate;

/// Told at each step of a migration to a device, so that a test can stop a thread between two of them and let others go first.
@FunctionalInterface
public interface Steps {

    /// The moments at which somebody else's doing makes a difference.
    enum Step {
        /// The pages are claimed, the host's mapping is as it was.
        CLAIMED,
        /// The copies have ended, the claims stand.
        COPIED
    }

    /// Nobody is stopped.
    Steps NONE = _ -> {};

    void at(Step step);
}
