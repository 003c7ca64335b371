package io.github.hmm4j.error;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// An OpenCL call returned an error status.
public final class OpenClFailedException extends HmmException {

    private static final long serialVersionUID = 1L;

    private final String call;
    private final int status;
    private final String detail;

    /// @param statusName the name of `status` in the OpenCL headers, such as `CL_OUT_OF_RESOURCES`
    /// @param detail     sizes and device as `name=value` pairs, and what state is left
    public OpenClFailedException(String call, int status, String statusName, String detail) {
        this(call, status, statusName, detail, null);
    }

    /// @param cause the same failure, told by whoever knew less of it
    public OpenClFailedException(String call, int status, String statusName, String detail, @Nullable OpenClFailedException cause) {
        super(String.format(Locale.ROOT, "%s failed: status=%s(%d), %s", call, statusName, status, detail), cause);
        this.call = call;
        this.status = status;
        this.detail = detail;
    }

    public String call() {
        return call;
    }

    public int status() {
        return status;
    }

    /// Sizes, device and what it was about, as `name=value` pairs.
    public String detail() {
        return detail;
    }
}
