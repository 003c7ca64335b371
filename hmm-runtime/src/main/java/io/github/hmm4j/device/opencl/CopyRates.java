package io.github.hmm4j.device.opencl;

import java.util.Locale;

/// What the self-test measured of one copy engine, in megabytes per second (10^6 bytes).
///
/// @param engine        `direct`, `staged` or `copy`
/// @param toDevice      of some megabytes in one piece
/// @param toHost        of the same back
/// @param smallToDevice of one page of 64 KiB
/// @param smallToHost   of the same back
public record CopyRates(String engine, long toDevice, long toHost, long smallToDevice, long smallToHost) {

    /// How long a byte takes in the mean of the four: the geometric one, so that each counts for the same.
    double cost() {
        return 1 / Math.pow((double) toDevice * toHost * smallToDevice * smallToHost, 0.25);
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%s %d/%d (64 KiB: %d/%d)",
                engine, toDevice, toHost, smallToDevice, smallToHost);
    }
}
