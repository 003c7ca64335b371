package io.github.hmm4j.error;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// The device budget cannot hold what one operation needs at the same time. Every page is where it was.
public final class DeviceMemoryExhaustedException extends HmmException {

    private static final long serialVersionUID = 1L;

    private final long neededBytes;
    private final long budgetBytes;

    /// @param detail what was to be placed and what stood in the way
    public DeviceMemoryExhaustedException(String device, long neededBytes, long budgetBytes, String detail) {
        this(device, neededBytes, budgetBytes, detail, null);
    }

    /// @param cause what the device said, or null
    public DeviceMemoryExhaustedException(String device, long neededBytes, long budgetBytes, String detail, @Nullable Throwable cause) {
        super(String.format(Locale.ROOT, "device memory exhausted: device=%s, neededBytes=%d, budgetBytes=%d; %s;"
                        + " nothing is lost: launch over slices, raise the budget if the device has more, or let the"
                        + " kernel page (hmm.clh)",
                device, neededBytes, budgetBytes, detail), cause);
        this.neededBytes = neededBytes;
        this.budgetBytes = budgetBytes;
    }

    public long neededBytes() {
        return neededBytes;
    }

    public long budgetBytes() {
        return budgetBytes;
    }
}
