package io.github.hmm4j.error;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// An access that the protection of a page forbids (`EFAULT` and `EPERM` of the kernel's HMM), or that finds no page. It read, wrote and moved nothing.
public final class AccessViolationException extends HmmException {

    private static final long serialVersionUID = 1L;

    /// Which rule was broken.
    public enum Kind {
        /// The page may not be read at all: [io.github.hmm4j.space.Protection#NONE].
        FAULT("the page may not be touched (heap.protect)"),
        /// The page may be read but not written: [io.github.hmm4j.space.Protection#READ].
        PERMISSION("the page may only be read (heap.protect)"),
        /// A kernel followed a pointer to a place that is in none of the ranges it was given, or, where kernels fault ([io.github.hmm4j.HmmBuilder#deviceFaults()]), in no region.
        OUTSIDE("the launch was not given it"),
        /// A kernel asked for an object that does not lie on one page.
        CROSSES_PAGE("the object does not lie on one page");

        private final String meaning;

        Kind(String meaning) {
            this.meaning = meaning;
        }
    }

    private final Kind kind;
    private final long addressBytes;

    /// @param addressBytes virtual address of the first page that refuses the access
    public AccessViolationException(Kind kind, long addressBytes, String what) {
        super(String.format(Locale.ROOT, "%s refused: address=0x%x, violation=%s, %s; nothing was moved or changed",
                what, addressBytes, kind, kind.meaning), null);
        this.kind = kind;
        this.addressBytes = addressBytes;
    }

    private AccessViolationException(String message, Kind kind, long addressBytes, @Nullable Throwable cause) {
        super(message, cause);
        this.kind = kind;
        this.addressBytes = addressBytes;
    }

    /// An access that a kernel tried. It touched nothing; what the kernel had written elsewhere by then stays.
    ///
    /// @param kernel its name
    /// @param what   more for people: the region, the work-item
    public static AccessViolationException ofKernel(String kernel, Kind kind, boolean write, long addressBytes, String what) {
        return new AccessViolationException(String.format(Locale.ROOT, "kernel=%s, refused %s: address=0x%x, violation=%s, %s",
                kernel, write ? "write" : "read", addressBytes, kind, what), kind, addressBytes, null);
    }

    /// The same, told of the kernel that did not run for it.
    ///
    /// @param kernel its name
    public AccessViolationException ofLaunch(String kernel) {
        String message = String.valueOf(getMessage());
        return message.startsWith("kernel=") ? this
                : new AccessViolationException("kernel=" + kernel + ", " + message, kind, addressBytes, this);
    }

    public Kind kind() {
        return kind;
    }

    public long addressBytes() {
        return addressBytes;
    }
}
