package io.github.hmm4j.error;

import java.util.Locale;

/// One operation needs more of a region on a device at the same time than the program lets that region take there ([io.github.hmm4j.ManagedHeap#quota]). Every page is where it was.
public final class QuotaExceededException extends HmmException {

    private static final long serialVersionUID = 1L;

    private final long neededBytes;
    private final long quotaBytes;

    /// @param region its addresses
    /// @param detail what needs them together
    public QuotaExceededException(String device, String region, long neededBytes, long quotaBytes, String detail) {
        super(String.format(Locale.ROOT, "quota exceeded: device=%s, region=%s, neededBytes=%d, quotaBytes=%d; %s;"
                        + " nothing is lost: raise the quota (heap.quota), launch over slices, or let the kernel page (hmm.clh)",
                device, region, neededBytes, quotaBytes, detail), null);
        this.neededBytes = neededBytes;
        this.quotaBytes = quotaBytes;
    }

    public long neededBytes() {
        return neededBytes;
    }

    public long quotaBytes() {
        return quotaBytes;
    }
}
