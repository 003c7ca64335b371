package io.github.hmm4j.error;

/// The way to reach managed memory that the program asked for cannot be had here, or no heap can be opened at all, since the native part cannot serve it. The message says why.
public final class HostAccessUnavailableException extends HmmException {

    private static final long serialVersionUID = 1L;

    public HostAccessUnavailableException(String message) {
        super(message, null);
    }
}
