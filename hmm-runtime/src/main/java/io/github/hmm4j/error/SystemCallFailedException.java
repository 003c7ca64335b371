package io.github.hmm4j.error;

import java.util.Locale;

/// A system call failed.
public final class SystemCallFailedException extends HmmException {

    private static final long serialVersionUID = 1L;

    private final int errno;

    /// @param detail arguments as `name=value` pairs
    public SystemCallFailedException(String call, int errno, String detail) {
        super(String.format(Locale.ROOT, "%s failed: errno=%s, %s", call, Errno.text(errno), detail), null);
        this.errno = errno;
    }

    public int errno() {
        return errno;
    }
}
