package io.github.hmm4j.space;

/// Where the program wants kernels to use a region, by device: what is in neither set is as the device has it. Numbers
/// of devices are bits.
///
/// @param inPlace devices that are to use host pages where they are
/// @param apart   devices that are to have pages of their own
public record PlacementAdvice(int inPlace, int apart) {

    public static final PlacementAdvice NONE = new PlacementAdvice(0, 0);

    public PlacementAdvice inPlaceOn(int device) {
        return new PlacementAdvice(inPlace | 1 << device, apart & ~(1 << device));
    }

    public PlacementAdvice apartOn(int device) {
        return new PlacementAdvice(inPlace & ~(1 << device), apart | 1 << device);
    }

    public PlacementAdvice withoutDevice(int device) {
        return new PlacementAdvice(inPlace & ~(1 << device), apart & ~(1 << device));
    }

    /// Whether the device is to use host pages where they are.
    ///
    /// @param otherwise where nothing was said
    public boolean isInPlaceOn(int device, boolean otherwise) {
        return otherwise ? (apart >>> device & 1) == 0 : (inPlace >>> device & 1) != 0;
    }
}
