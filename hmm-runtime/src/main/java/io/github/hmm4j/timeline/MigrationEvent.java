package io.github.hmm4j.timeline;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Direction;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.MemoryAddress;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/// Pages of one range moved in one call, but for those that faults move. The sums of pages and bytes by cause and direction are those of the heap's report.
@Name("hmm4j.Migration")
@Label("Migration")
@Description("Pages of one range moved to a device or home in one call; what faults move is in hmm4j.Fault")
@StackTrace(true)
public final class MigrationEvent extends TimelineEvent {

    static final MigrationEvent PROBE = new MigrationEvent();

    @Label("Direction")
    @Description("TO_DEVICE or TO_HOST")
    String direction = "";

    @Label("Cause")
    @Description("Why, see docs/counters.md")
    String cause = "";

    @Label("Device")
    @Description("Number of the device in its heap; -1 if pages came home from none or from several")
    int device = -1;

    @Label("Device Name")
    @Description("What the driver calls the device; empty for -1")
    String deviceName = "";

    @Label("First Page")
    @Description("Index of the first page of the range")
    long firstPage;

    @Label("Range Pages")
    @Description("Length of the range in pages, those included that stayed where they were")
    long rangePages;

    @Label("Address")
    @Description("Address of the range, as the program sees it")
    @MemoryAddress
    long address;

    @Label("Moved Pages")
    @Description("Pages that changed place")
    long movedPages;

    @Label("Copied")
    @Description("Bytes that crossed; pages that were empty, dead or there already cost none")
    @DataAmount
    long copiedBytes;

    @Label("Copy Engine")
    @Description("What carried them: direct, staged, copy, peer for what another device had, or native for the native part")
    String engine = "";

    @Label("Device Time")
    @Description("Sum of what the copies took on the device; not known where its copy queue keeps no times")
    @Timespan(Timespan.NANOSECONDS)
    long deviceNanos = UNKNOWN;

    /// Why, which way and by what; said at once.
    public void of(Cause cause, Direction direction, String engine) {
        this.cause = cause.name();
        this.direction = direction.name();
        this.engine = engine;
    }

    public void range(long firstPage, long rangePages, long address) {
        this.firstPage = firstPage;
        this.rangePages = rangePages;
        this.address = address;
    }

    public void device(int device, String deviceName) {
        this.device = device;
        this.deviceName = deviceName;
    }

    /// More of the same call.
    public void moved(long pages, long bytesCopied) {
        movedPages += pages;
        copiedBytes += bytesCopied;
    }

    /// A copy of it has ended.
    ///
    /// @param nanos as [io.github.hmm4j.device.Completion#deviceNanos] has it, -1 for not known
    public void copied(long nanos) {
        if (nanos >= 0) {
            deviceNanos = (deviceNanos == UNKNOWN ? 0 : deviceNanos) + nanos;
        }
    }

    /// Whether there is anything to tell: most calls find every page in its place.
    public boolean hasMoved() {
        return movedPages > 0 || copiedBytes > 0;
    }
}
