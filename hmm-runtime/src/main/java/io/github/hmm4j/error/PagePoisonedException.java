package io.github.hmm4j.error;

import java.util.Locale;

/// The contents of a page are lost: its only valid copy was on a device that failed, or the kernel failed that was to write it. Every touch of it says so until it is freed or discarded.
public final class PagePoisonedException extends HmmException {

    private static final long serialVersionUID = 1L;

    private final long addressBytes;

    public PagePoisonedException(long addressBytes, String what) {
        super(String.format(Locale.ROOT, "%s refused: address=0x%x is poisoned, its only copy was on a device that was lost; free or discard it",
                what, addressBytes), null);
        this.addressBytes = addressBytes;
    }

    /// @param failure of the kernel that was to write the page
    public PagePoisonedException(long addressBytes, String what, String failure) {
        super(String.format(Locale.ROOT, "%s refused: address=0x%x is poisoned, the kernel that was to write it failed: %s; free or discard it",
                what, addressBytes, failure), null);
        this.addressBytes = addressBytes;
    }

    public long addressBytes() {
        return addressBytes;
    }
}
