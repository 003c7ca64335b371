package io.github.hmm4j.migrate;

/// What became of one page of a migration. Only the first two mean that the page is where it was wanted.
public enum PageOutcome {
    /// It was there before.
    ALREADY,
    /// It moved.
    MOVED,
    /// Somebody else took it meanwhile.
    RACED,
    /// Another device owns it, or somebody is moving it, and the migration was not to go that far.
    ELSEWHERE,
    /// An open view holds it.
    PINNED,
    /// Its contents are lost.
    POISONED;

    private static final PageOutcome[] VALUES = values();

    static PageOutcome of(byte code) {
        return VALUES[code];
    }
}
