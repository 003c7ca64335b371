package io.github.hmm4j.timeline;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;

/// A launch whose gate failed goes round again.
@Name("hmm4j.Replay")
@Label("Replay")
@Description("A launch found pages gone at its gate and goes round again, or waits for a view to close")
public final class ReplayEvent extends TimelineEvent {

    static final ReplayEvent PROBE = new ReplayEvent();

    @Label("Kernel")
    @Description("Name of the kernel")
    String kernel = "";

    @Label("Device")
    @Description("Number of the device in its heap")
    int device;

    @Label("Device Name")
    @Description("What the driver calls the device")
    String deviceName = "";

    @Label("Reason")
    @Description("PAGE_LOST: the host took a page back meanwhile; VIEW_OPEN: a view or pin holds one, and the duration is the wait for it")
    String reason = "";

    @Label("Round")
    @Description("Number of the round that failed, from 1")
    int round;

    @Label("Insists Next")
    @Description("Whether the next round holds the host off and moves the last pages itself")
    boolean insistsNext;

    /// @param viewOpen whether a view holds a page; else the host took one back
    public void of(String kernel, int device, String deviceName, boolean viewOpen, int round, boolean insistsNext) {
        this.kernel = kernel;
        this.device = device;
        this.deviceName = deviceName;
        reason = viewOpen ? "VIEW_OPEN" : "PAGE_LOST";
        this.round = round;
        this.insistsNext = insistsNext;
    }
}
