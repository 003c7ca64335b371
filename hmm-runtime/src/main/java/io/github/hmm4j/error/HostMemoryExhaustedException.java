package io.github.hmm4j.error;

import java.util.Locale;

/// The operating system has no memory for host pages that an operation needs: strict overcommit, or a full file system
/// behind them. Nothing ran, and every page is where it was or at home.
///
/// A limit of the container or control group is not told this way: Linux ends a process that reaches one.
public final class HostMemoryExhaustedException extends HmmException {

    private static final long serialVersionUID = 1L;

    private final long addressBytes;
    private final long neededBytes;

    /// @param what         the operation, for the message
    /// @param addressBytes virtual address of the first page without memory, as far as is known
    /// @param neededBytes  what the operation may need from there on, whole pages
    public HostMemoryExhaustedException(String what, long addressBytes, long neededBytes) {
        super(String.format(Locale.ROOT, "host memory exhausted: %s, address=0x%x, neededBytes=%d; the operating"
                        + " system has none; nothing is lost: free some, or allow more, and do it again",
                what, addressBytes, neededBytes), null);
        this.addressBytes = addressBytes;
        this.neededBytes = neededBytes;
    }

    public long addressBytes() {
        return addressBytes;
    }

    public long neededBytes() {
        return neededBytes;
    }
}
