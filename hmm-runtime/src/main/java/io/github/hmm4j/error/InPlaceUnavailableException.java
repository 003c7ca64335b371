package io.github.hmm4j.error;

/// Kernels of this device cannot use host pages where they are, which the program asked for. Nothing has changed.
public final class InPlaceUnavailableException extends HmmException {

    private static final long serialVersionUID = 1L;

    /// @param why what the proof has found
    public InPlaceUnavailableException(String device, String why) {
        super("placement=in_place refused: device=%s does not use host pages where they are: %s".formatted(device, why), null);
    }
}
