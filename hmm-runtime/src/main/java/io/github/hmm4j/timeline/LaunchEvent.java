package io.github.hmm4j.timeline;

import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/// A kernel was enqueued, or was not: from the call to its return, moves included.
@Name("hmm4j.Launch")
@Label("Launch")
@Description("A call that launched a kernel, from its beginning until the kernel was on its queue; what it had to move first is part of it")
@StackTrace(true)
public final class LaunchEvent extends TimelineEvent {

    static final LaunchEvent PROBE = new LaunchEvent();

    @Label("Kernel")
    @Description("Name of the kernel")
    String kernel = "";

    @Label("Device")
    @Description("Number of the device in its heap")
    int device;

    @Label("Device Name")
    @Description("What the driver calls the device")
    String deviceName = "";

    @Label("Used")
    @Description("Bytes of the pages that the kernel may use, whole pages, once for each argument")
    @DataAmount
    long usedBytes;

    @Label("Moved Pages")
    @Description("Pages that changed place for this launch")
    long movedPages;

    @Label("Copied")
    @Description("Bytes that crossed to the device for this launch")
    @DataAmount
    long copiedBytes;

    @Label("Rounds")
    @Description("Times that it went through planning and moving; 0 if everything was there")
    int rounds;

    @Label("Launched")
    @Description("Whether the kernel was enqueued; if not, the call ended with an exception and pages are where they were")
    boolean launched;

    @Label("Command")
    @Description("Number of the kernel among the commands of its device, as in hmm4j.Command; 0 if the device numbers none")
    long command;

    /// What it is; said at once.
    public void of(String kernel, int device, String deviceName, long usedBytes) {
        this.kernel = kernel;
        this.device = device;
        this.deviceName = deviceName;
        this.usedBytes = usedBytes;
    }

    /// It got through.
    ///
    /// @param command number of the kernel among its device's commands, or 0
    public void passed(long movedPages, long copiedBytes, int rounds, long command) {
        launched = true;
        this.movedPages = movedPages;
        this.copiedBytes = copiedBytes;
        this.rounds = rounds;
        this.command = command;
    }
}
