package io.github.hmm4j.page;

/// Where the valid copy of a page is. The drawing is in the package documentation. The ordinal is the encoding in the page word.
public enum PageState {
    EMPTY,
    HOST,
    SHARED,
    DEVICE,
    TO_DEVICE,
    TO_HOST,
    POISONED,
    UNMAPPED,
    PEERS;

    private static final PageState[] VALUES = values();

    static PageState of(int code) {
        return VALUES[code];
    }
}
