package io.github.hmm4j.timeline;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;

/// A part of a native fetch, or a page that an insisting launch moved by itself.
@Name("hmm4j.Batch")
@Label("Native Batch")
@Description("Pages that native code moved at once: a part of a fetch, of which several are under way at a time, or a page that a launch insisted on")
public final class BatchEvent extends ServedEvent {

    static final BatchEvent PROBE = new BatchEvent();

    @Label("To Device")
    @Description("Whether a launch insisted on it; else it came home")
    boolean toDevice;

    public void of(boolean toDevice) {
        this.toDevice = toDevice;
    }
}
