package io.github.hmm4j.error;

/// No device matches the request, or there is no OpenCL driver. The message says what was found and what would help.
public final class NoDeviceException extends HmmException {

    private static final long serialVersionUID = 1L;

    public NoDeviceException(String message) {
        super(message, null);
    }

    public NoDeviceException(String message, HmmException cause) {
        super(message, cause);
    }
}
