package io.github.hmm4j.error;

/// A kernel source does not compile for a device. The message ends with the compiler's log, which names real files and lines.
public final class KernelBuildException extends HmmException {

    private static final long serialVersionUID = 1L;

    private final String log;

    public KernelBuildException(String source, String device, String options, String log) {
        this(source, device, options, log, "");
    }

    /// @param problem of this process, which may be the reason; or empty
    public KernelBuildException(String source, String device, String options, String log, String problem) {
        super("kernel build failed: source=%s, device=%s, options=%s%s%n%s".formatted(source, device, options, problem.isEmpty() ? "" : "; " + problem, log), null);
        this.log = log;
    }

    /// The compiler's log, as the driver gave it.
    public String log() {
        return log;
    }
}
