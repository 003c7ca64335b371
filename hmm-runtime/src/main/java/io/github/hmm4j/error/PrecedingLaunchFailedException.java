package io.github.hmm4j.error;

/// A launch was to come after another, whose kernel has failed. What the message says did or did not happen is all that
/// this launch did; why the other one failed is the cause.
public final class PrecedingLaunchFailedException extends HmmException {

    private static final long serialVersionUID = 1L;

    /// @param kernel    of the launch that came after
    /// @param preceding the launch that failed
    /// @param outcome   what became of the kernel
    public PrecedingLaunchFailedException(String kernel, String preceding, String outcome, HmmException cause) {
        super("kernel=%s was to come after the %s, which failed; %s: %s".formatted(kernel, preceding, outcome, cause.getMessage()), cause);
    }
}
