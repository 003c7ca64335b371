package io.github.hmm4j.error;

/// An access that the protection of a page forbids (`EFAULT` and `EPERM` of the kernel's HMM). Nothing was read, written or moved.
public final class AccessViolationException extends HmmException {

    private static final long serialVersionUID = 1L;

    /// Which rule was broken.
    public enum Kind {
        /// The page may not be read at all: [io.github.hmm4j.space.Protection#NONE].
        FAULT,
        /// The page may be read but not written: [io.github.hmm4j.space.Protection#READ].
        PERMISSION
    }

    private final Kind kind;
    private final long addressBytes;

    /// @param addressBytes virtual address of the first page that refuses the access
    public AccessViolationException(Kind kind, long addressBytes, String what) {
        super("%s refused: address=0x%x, violation=%s; nothing was moved or changed".formatted(what, addressBytes, kind), null);
        this.kind = kind;
        this.addressBytes = addressBytes;
    }

    public Kind kind() {
        return kind;
    }

    public long addressBytes() {
        return addressBytes;
    }
}
