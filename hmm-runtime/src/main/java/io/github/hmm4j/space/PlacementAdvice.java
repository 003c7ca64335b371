package io.github.hmm4j.space;

import java.util.HashMap;
import java.util.Map;

/// Where the program wants kernels to use a region, by device, and how much of it may be there. Numbers of devices are
/// bits; what is in neither set is as the device has it.
///
/// @param inPlace devices that are to use host pages where they are
/// @param apart   devices that are to have pages of their own
/// @param quotas  pages that may take memory of a device at a time, by device; those that are not there have no quota
public record PlacementAdvice(int inPlace, int apart, Map<Integer, Long> quotas) {

    public static final PlacementAdvice NONE = new PlacementAdvice(0, 0, Map.of());

    /// Of a device without one.
    public static final long NO_QUOTA = Long.MAX_VALUE;

    public PlacementAdvice {
        quotas = Map.copyOf(quotas);
    }

    public PlacementAdvice inPlaceOn(int device) {
        return new PlacementAdvice(inPlace | 1 << device, apart & ~(1 << device), quotas);
    }

    public PlacementAdvice apartOn(int device) {
        return new PlacementAdvice(inPlace & ~(1 << device), apart | 1 << device, quotas);
    }

    public PlacementAdvice withoutDevice(int device) {
        return new PlacementAdvice(inPlace & ~(1 << device), apart & ~(1 << device), quotas);
    }

    /// @param pages at most so many, or [#NO_QUOTA]
    public PlacementAdvice withQuota(int device, long pages) {
        Map<Integer, Long> changed = new HashMap<>(quotas);
        if (pages == NO_QUOTA) {
            changed.remove(device);
        } else {
            changed.put(device, pages);
        }
        return new PlacementAdvice(inPlace, apart, changed);
    }

    /// Pages that may take memory of a device at a time.
    public long quotaOn(int device) {
        return quotas.getOrDefault(device, NO_QUOTA);
    }

    /// Whether the device is to use host pages where they are.
    ///
    /// @param otherwise where nothing was said
    public boolean isInPlaceOn(int device, boolean otherwise) {
        return otherwise ? (apart >>> device & 1) == 0 : (inPlace >>> device & 1) != 0;
    }
}
