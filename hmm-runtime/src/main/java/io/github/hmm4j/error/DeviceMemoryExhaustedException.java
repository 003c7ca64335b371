package io.github.hmm4j.error;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// The device budget cannot hold what one operation needs at the same time. Every page is where it was, but for what a kernel that pages (`hmm.clh`) has brought and written by then.
public final class DeviceMemoryExhaustedException extends HmmException {

    private static final long serialVersionUID = 1L;

    private static final String OF_PLAIN = "nothing is lost: launch over slices, raise the budget if the device has more, let the kernel page (hmm.clh), or, on a device that works in host memory, let kernels fault (HmmBuilder.deviceFaults)";
    private static final String OF_PAGING = "what the kernel has written by then is there: raise the budget if the device has more, or let a work-item ask for less at a time";

    private final long neededBytes;
    private final long budgetBytes;

    /// @param detail what was to be placed and what stood in the way
    public DeviceMemoryExhaustedException(String device, long neededBytes, long budgetBytes, String detail) {
        this(device, neededBytes, budgetBytes, detail, null);
    }

    /// @param cause what the device said, or null
    public DeviceMemoryExhaustedException(String device, long neededBytes, long budgetBytes, String detail, @Nullable Throwable cause) {
        this(device, neededBytes, budgetBytes, detail, OF_PLAIN, cause);
    }

    private DeviceMemoryExhaustedException(String device, long neededBytes, long budgetBytes, String detail, String advice, @Nullable Throwable cause) {
        super(String.format(Locale.ROOT, "device memory exhausted: device=%s, neededBytes=%d, budgetBytes=%d; %s; %s", device, neededBytes, budgetBytes, detail, advice), cause);
        this.neededBytes = neededBytes;
        this.budgetBytes = budgetBytes;
    }

    /// Of a kernel that goes through the page table, in which some work-items may have come to their ends.
    ///
    /// @param neededBytes the budget that would do for what is known
    /// @param detail      who asks for how much
    public static DeviceMemoryExhaustedException ofPagingKernel(String device, long neededBytes, long budgetBytes, String detail) {
        return new DeviceMemoryExhaustedException(device, neededBytes, budgetBytes, detail, OF_PAGING, null);
    }

    /// The budget that would do; of a kernel that goes through the page table for what is known: what its work-items ask for when they have got that nobody knows.
    public long neededBytes() {
        return neededBytes;
    }

    public long budgetBytes() {
        return budgetBytes;
    }
}
