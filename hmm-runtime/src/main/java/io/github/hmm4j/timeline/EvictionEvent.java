package io.github.hmm4j.timeline;

import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;

/// Pages gave up their frames.
@Name("hmm4j.Eviction")
@Label("Eviction")
@Description("Pages of a device gave up their frames; those that only the device had came home first, which is a migration of its own")
public final class EvictionEvent extends TimelineEvent {

    static final EvictionEvent PROBE = new EvictionEvent();

    @Label("Device")
    @Description("Number of the device in its heap")
    int device;

    @Label("Device Name")
    @Description("What the driver calls the device")
    String deviceName = "";

    @Label("Victims")
    @Description("Pages that were to go")
    long victimPages;

    @Label("Clean Pages")
    @Description("Of these, copies that were dropped, since the host had them too")
    long cleanPages;

    @Label("Dirty Pages")
    @Description("Of these, pages that were brought home")
    long dirtyPages;

    @Label("Freed")
    @Description("Bytes of the frames that are free now")
    @DataAmount
    long freedBytes;

    /// Said at once.
    public void of(int device, String deviceName, long victimPages) {
        this.device = device;
        this.deviceName = deviceName;
        this.victimPages = victimPages;
    }

    public void dropped() {
        cleanPages++;
    }

    public void broughtHome(long pages) {
        dirtyPages += pages;
    }

    public void freed(long bytes) {
        freedBytes = bytes;
    }
}
