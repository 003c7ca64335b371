package io.github.hmm4j.timeline;

import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;

/// How much lies where, at one moment.
@Name("hmm4j.Residency")
@Label("Residency")
@Description("How many bytes of a heap have a valid copy in one place; told when that has changed, at most every 10 ms")
public final class ResidencyEvent extends TimelineEvent {

    static final ResidencyEvent PROBE = new ResidencyEvent();

    @Label("Device")
    @Description("Number of the device in its heap; -1 for the host")
    int device;

    @Label("Place")
    @Description("host, or what the driver calls the device")
    String place = "";

    @Label("Valid")
    @Description("Bytes of pages with a valid copy there")
    @DataAmount
    long validBytes;

    @Label("Only")
    @Description("Of these, bytes of pages with a valid copy nowhere else")
    @DataAmount
    long onlyBytes;

    public void of(int device, String place, long validBytes, long onlyBytes) {
        this.device = device;
        this.place = place;
        this.validBytes = validBytes;
        this.onlyBytes = onlyBytes;
    }
}
