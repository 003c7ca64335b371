package io.github.hmm4j.error;

import java.util.Locale;

/// A launch could not get its pages in time because host views of other threads hold them. Nothing ran; nothing is lost.
public final class LaunchBlockedException extends HmmException {

    private static final long serialVersionUID = 1L;

    public LaunchBlockedException(String kernel, long waitedMillis, String holders) {
        super(String.format(Locale.ROOT, "launch blocked: kernel=%s, waitedMillis=%d; pages held by %s; nothing ran",
                kernel, waitedMillis, holders), null);
    }
}
