package io.github.hmm4j.error;

import java.util.Locale;

/// One operation needs more of a region on a device at the same time than the program lets that region take there ([io.github.hmm4j.ManagedHeap#quota]). Every page is where it was, but for what a kernel that pages
/// (`hmm.clh`) has brought and written by then.
public final class QuotaExceededException extends HmmException {

    private static final long serialVersionUID = 1L;

    private static final String OF_PLAIN = "nothing is lost: raise the quota (heap.quota), launch over slices, or let the kernel page (hmm.clh)";
    private static final String OF_PAGING = "what the kernel has written by then is there: raise the quota (heap.quota), or let a work-item ask for less at a time";

    private final long neededBytes;
    private final long quotaBytes;

    /// @param region its addresses
    /// @param detail what needs them together
    public QuotaExceededException(String device, String region, long neededBytes, long quotaBytes, String detail) {
        this(device, region, neededBytes, quotaBytes, detail, OF_PLAIN);
    }

    private QuotaExceededException(String device, String region, long neededBytes, long quotaBytes, String detail, String advice) {
        super(String.format(Locale.ROOT, "quota exceeded: device=%s, region=%s, neededBytes=%d, quotaBytes=%d; %s; %s", device, region, neededBytes, quotaBytes, detail, advice), null);
        this.neededBytes = neededBytes;
        this.quotaBytes = quotaBytes;
    }

    /// Of a kernel that goes through the page table, in which some work-items may have come to their ends.
    ///
    /// @param neededBytes the quota that would do for what is known
    /// @param detail      who asks for how much
    public static QuotaExceededException ofPagingKernel(String device, String region, long neededBytes, long quotaBytes, String detail) {
        return new QuotaExceededException(device, region, neededBytes, quotaBytes, detail, OF_PAGING);
    }

    /// The quota that would do; of a kernel that goes through the page table for what is known.
    public long neededBytes() {
        return neededBytes;
    }

    public long quotaBytes() {
        return quotaBytes;
    }
}
