package io.github.hmm4j.timeline;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.MemoryAddress;
import jdk.jfr.Name;
import jdk.jfr.Timespan;

/// A touch that has waited long for a launch.
@Name("hmm4j.LongTouch")
@Label("Long Touch")
@Description("A touch of managed memory has waited for a launch for 100 ms or longer; its thread could not reach a safepoint meanwhile")
public final class LongTouchEvent extends TimelineEvent {

    static final LongTouchEvent PROBE = new LongTouchEvent();

    @Label("Address")
    @Description("Address of the page")
    @MemoryAddress
    long address;

    @Label("Write")
    @Description("Whether the touch was for writing")
    boolean write;

    @Label("Toucher")
    @Description("Name of the thread that touched, as the operating system has it")
    String toucher = "";

    @Label("Kernel")
    @Description("Name of the kernel that it waited for, the last one if there were several")
    String kernel = "";

    @Label("Device")
    @Description("Number of that kernel's device in its heap")
    int device;

    @Label("Given Up")
    @Description("Whether the touch has become an error, after HmmBuilder.touchTimeout")
    boolean givenUp;

    @Label("Waited")
    @Description("How long it waited")
    @Timespan(Timespan.NANOSECONDS)
    long waitedNanos;

    public void of(long address, boolean write, String toucher, String kernel, int device, boolean givenUp, long waitedNanos) {
        this.address = address;
        this.write = write;
        this.toucher = toucher;
        this.kernel = kernel;
        this.device = device;
        this.givenUp = givenUp;
        this.waitedNanos = waitedNanos;
    }
}
