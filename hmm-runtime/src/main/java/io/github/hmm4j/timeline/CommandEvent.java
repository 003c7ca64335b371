package io.github.hmm4j.timeline;

import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Timespan;

/// A command that a device has carried out, with the device's own times.
@Name("hmm4j.Command")
@Label("Device Command")
@Description("A kernel or a copy that a device has carried out, told of when somebody saw its end; only from queues that keep times")
public final class CommandEvent extends TimelineEvent {

    static final CommandEvent PROBE = new CommandEvent();

    /// What a device is asked for.
    public enum Kind { KERNEL, COPY_TO_DEVICE, COPY_TO_HOST, ZERO }

    @Label("Command")
    @Description("Number of the command among those of its device, from 1")
    long command;

    @Label("Kind")
    @Description("KERNEL, COPY_TO_DEVICE, COPY_TO_HOST or ZERO")
    String kind = "";

    @Label("Name")
    @Description("Name of the kernel, or of the OpenCL call; memcpy for a copy that was made without one")
    String what = "";

    @Label("Device")
    @Description("Number of the device in its heap")
    int device;

    @Label("Device Name")
    @Description("What the driver calls the device")
    String deviceName = "";

    @Label("Bytes")
    @Description("Bytes copied or filled; 0 for a kernel")
    @DataAmount
    long bytes;

    @Label("Queued")
    @Description("When it was enqueued, on the clock of System.nanoTime, as the device says")
    long queuedNanos;

    @Label("Start")
    @Description("When it started, on the clock of System.nanoTime")
    long startNanos;

    @Label("Device Time")
    @Description("How long it ran on the device, by the device's clock")
    @Timespan(Timespan.NANOSECONDS)
    long deviceNanos;

    @Label("Clock Error")
    @Description("By how much Start and Queued can be wrong at most: the two clocks are brought together by what is known of when commands were enqueued and seen to end")
    @Timespan(Timespan.NANOSECONDS)
    long clockErrorNanos;

    public void of(long command, Kind kind, String what, int device, String deviceName, long bytes) {
        this.command = command;
        this.kind = kind.name();
        this.what = what;
        this.device = device;
        this.deviceName = deviceName;
        this.bytes = bytes;
    }

    public void times(long queued, long start, long end, long clockError) {
        queuedNanos = queued;
        startNanos = start;
        deviceNanos = end - start;
        clockErrorNanos = clockError;
    }
}
