package io.github.hmm4j.error;

/// The device does not answer any more. Pages whose only valid copy it held are lost (poisoned); all others are intact on the host.
public final class DeviceLostException extends HmmException {

    private static final long serialVersionUID = 1L;

    public DeviceLostException(String device, String call, HmmException cause) {
        super(("device lost: device=%s, call=%s; pages that only it held are lost, and poisoned when they are touched;"
                + " nothing runs on it any more: save the rest, and open another heap").formatted(device, call), cause);
    }
}
