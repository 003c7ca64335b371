package io.github.hmm4j.error;

/// A launch could not get its pages in time because host views of other threads hold them. Nothing ran; nothing is lost.
public final class LaunchBlockedException extends HmmException {

    private static final long serialVersionUID = 1L;

    public LaunchBlockedException(String kernel, long waitedMillis, String holders) {
        super("launch blocked: kernel=%s, waitedMillis=%d; pages held by %s; nothing ran"
                .formatted(kernel, waitedMillis, holders), null);
    }
}
